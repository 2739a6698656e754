// SPDX-License-Identifier: Apache-2.0
#include "cache/time.hpp"

#include <random>

namespace ghmesh::cache {

std::uint64_t process_run() {
  static const std::uint64_t run = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32 | device()) | 1;
  }();
  return run;
}

}  // namespace ghmesh::cache
