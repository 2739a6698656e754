// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// What clients read to trust the local CA: DIR/ghmesh-ca.pem, the CA's certificates alone, for programs that add to
// their roots (NODE_EXTRA_CA_CERTS), and DIR/ca-bundle.pem, the system's roots, the user's own and the CA's, for those
// that replace them (SSL_CERT_FILE and its like). Certificates are public: both files are 0644, and appear whole.
// Blocking; loop thread.

namespace ghmesh::node {

class TrustFiles {
 public:
  // user_roots: further files whose certificates the bundle holds; those that cannot be read are left out.
  TrustFiles(std::string directory, std::vector<std::string> user_roots)
      : directory_(std::move(directory)), user_roots_(std::move(user_roots)) {}
  // Removes what it wrote; the directory, too, if it made it and nothing else is there.
  ~TrustFiles();
  TrustFiles(const TrustFiles&) = delete;
  TrustFiles& operator=(const TrustFiles&) = delete;

  Result<> write(std::string_view authority_pem);

  std::string authority_path() const { return directory_ + "/ghmesh-ca.pem"; }
  std::string bundle_path() const { return directory_ + "/ca-bundle.pem"; }
  // Files that write() left out, each with the reason.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  std::string bundle(std::string_view authority_pem);

  const std::string directory_;
  const std::vector<std::string> user_roots_;
  std::vector<std::string> left_out_;
  bool made_directory_ = false;
  bool wrote_ = false;
};

}  // namespace ghmesh::node
