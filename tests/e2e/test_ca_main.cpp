// SPDX-License-Identifier: Apache-2.0
// A CA as the node makes its own, but with what the node never does: leaves for names that it may not sign for, and its
// keys on disk. For tests of what clients make of that.
//
//   ghmesh-test-ca DIR PERMITTED[,PERMITTED…] NAME…    writes DIR/ca.pem, DIR/NAME.pem, DIR/NAME.key
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "tls/certificate.hpp"

int main(int count, char** words) {
  using namespace ghmesh;  // NOLINT: a program of one function
  if (count < 4) {
    std::cerr << "usage: ghmesh-test-ca DIR PERMITTED[,PERMITTED...] NAME...\n";
    return 2;
  }
  const std::filesystem::path directory = words[1];
  tls::AuthorityOptions options;
  std::istringstream permitted(words[2]);
  for (std::string name; std::getline(permitted, name, ',');) options.permitted_dns.push_back(name);
  const WallTime now = std::chrono::system_clock::now();
  const auto authority = tls::make_authority(options, now);
  if (!authority) {
    std::cerr << authority.error().message << '\n';
    return 1;
  }
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "ca.pem") << authority->certificate_pem;
  for (int i = 3; i < count; ++i) {
    const auto leaf = tls::make_leaf(*authority, {words[i]}, std::chrono::hours(1), now);
    if (!leaf) {
      std::cerr << leaf.error().message << '\n';
      return 1;
    }
    std::ofstream(directory / (std::string(words[i]) + ".pem")) << leaf->certificate_pem;
    std::ofstream(directory / (std::string(words[i]) + ".key")) << leaf->private_key_pem.expose();
  }
  return 0;
}
