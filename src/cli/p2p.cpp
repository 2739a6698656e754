// SPDX-License-Identifier: Apache-2.0
// p2p: the developer's libp2p host. What it takes and prints is libp2p/devtool's.
#include <cstdio>

#include "command.hpp"
#include "libp2p/devtool/command.hpp"

namespace ghmesh::cli {

int p2p(const Arguments& arguments, Context& context) {
  libp2p::devtool::CommandOptions options;
  if (const auto complaint = libp2p::devtool::parse_command(arguments.operands, options))
    return complain(context, kUsage, "p2p: " + *complaint);
  // Each line leaves at once, past context.out, for whoever reads along.
  return libp2p::devtool::run_command(options, stdout);
}

}  // namespace ghmesh::cli
