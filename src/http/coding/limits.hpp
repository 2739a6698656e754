// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ghmesh::http::coding {

struct DecodeLimits {
  // The decoded body altogether: the largest body that is kept (16 MiB).
  std::uint64_t output_bytes = 16 * 1024 * 1024;
  // JSON packs 5 to 20 times; 100:1 is a bomb. Below ratio_free_bytes a repetitive but honest body may exceed it.
  std::uint64_t ratio = 100;
  std::uint64_t ratio_free_bytes = 1024 * 1024;
};

// The window a zstd frame may ask for: 8 MiB, the bound that RFC 9659 sets for HTTP.
inline constexpr int kZstdWindowLog = 23;

}  // namespace ghmesh::http::coding
