// SPDX-License-Identifier: Apache-2.0
// The one executable: arguments in, exit status out.
#include <signal.h>

#include <iostream>

#include "command.hpp"

int main(int count, char** words) {
  // A reader that leaves shows as a failed write, in a client's connection and on standard output alike.
  ::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> arguments(words + std::min(count, 1), words + count);
  ghmesh::cli::Context context{ghmesh::node::config::Variables::of_process(), std::cout, std::cerr};
  return ghmesh::cli::run(arguments, context);
}
