// SPDX-License-Identifier: Apache-2.0
// ghmesh_p2p_dev: the developer's command as a program of its own, for tests and measurements of the libp2p wing alone.

#include <cstdio>

#include "libp2p/devtool/command.hpp"

int main(int argc, char** argv) {
  ghmesh::libp2p::devtool::CommandOptions options;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (const auto complaint = ghmesh::libp2p::devtool::parse_command(arguments, options)) {
    std::fprintf(stderr, "ghmesh_p2p_dev: %s\n", complaint->c_str());
    return 2;
  }
  return ghmesh::libp2p::devtool::run_command(options, stdout);
}
