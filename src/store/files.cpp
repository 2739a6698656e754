// SPDX-License-Identifier: Apache-2.0
#include "store/files.hpp"

namespace ghmesh::store {

Result<Bytes> read_all(File& file, std::uint64_t max_bytes) {
  const auto size = file.size();
  if (!size) return std::unexpected(size.error());
  if (*size > max_bytes) return fail(ErrorCode::Limit, "file is too long");
  Bytes content(*size);
  const auto got = file.read_at(0, content);
  if (!got) return std::unexpected(got.error());
  content.resize(*got);
  return content;
}

}  // namespace ghmesh::store
