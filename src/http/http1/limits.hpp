// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

// Bounds of the HTTP/1.1 syntax. A head is held whole while it is read, so these are also bounds of memory.

namespace ghmesh::http::http1 {

struct HeadLimits {
  std::size_t head_bytes;  // start line, fields and the empty line
  std::size_t line_bytes;  // one line: a field, or the start line with its target
  std::size_t fields;
};

// 32 KiB and 64 fields are Varnish's defaults and four times what gh or Octokit send. One field may take 16 KiB because
// OIDC tokens in Authorization reach 8 KiB.
inline constexpr HeadLimits kRequestHeadLimits{32 * 1024, 16 * 1024, 64};

// GitHub answers with 30 fields in 2 KiB; its web hosts add a Content-Security-Policy of several KiB. A larger block
// than for requests, so that no answer to an accepted request dies here.
inline constexpr HeadLimits kResponseHeadLimits{64 * 1024, 16 * 1024, 128};

struct ChunkLimits {
  // One size line with its extensions. No client in use sends extensions; 256 octets is enough for a signed one.
  std::size_t line_bytes = 256;
  // All extensions of one body together: else a body of one-octet chunks costs 256 times its size in framing.
  std::size_t extension_bytes = 4 * 1024;
  // The trailer section, which is kept until it is complete. gRPC-style trailers take some hundred octets.
  std::size_t trailer_bytes = 8 * 1024;
  std::size_t trailer_fields = 32;
};

// Most interim answers before the final one (100, 103, …); more is a fault of the origin, not information.
inline constexpr int kMaxInterimResponses = 8;

}  // namespace ghmesh::http::http1
