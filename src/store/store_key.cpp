// SPDX-License-Identifier: Apache-2.0
#include "store_key.hpp"

#include <algorithm>

#include "segment_format.hpp"

namespace ghmesh::store {
namespace {

constexpr std::array<std::uint8_t, 8> kKeyMagic{'g', 'h', 'm', 'k', 'e', 'y', 0, 1};
using KeyFile = std::array<std::uint8_t, 40>;

// Nothing if the file is damaged.
Result<std::optional<crypto::SecretKey32>> read_key(File& file) {
  crypto::Secret<KeyFile> content;
  const auto size = file.size();
  if (!size) return std::unexpected(size.error());
  const auto got = file.read_at(0, content.expose_mutable());
  if (!got) return std::unexpected(got.error());
  const ByteView bytes(content.expose());
  if (*size != bytes.size() || *got != bytes.size() || !equal(bytes.first(kKeyMagic.size()), kKeyMagic))
    return std::nullopt;
  crypto::SecretKey32 key;
  std::ranges::copy(bytes.subspan(kKeyMagic.size()), key.expose_mutable().begin());
  return key;
}

Result<crypto::SecretKey32> make_key(Directory& directory, Random& random) {
  crypto::SecretKey32 key;
  random.fill(key.expose_mutable());
  crypto::Secret<KeyFile> content;
  std::ranges::copy(kKeyMagic, content.expose_mutable().begin());
  std::ranges::copy(key.expose(), content.expose_mutable().begin() + kKeyMagic.size());
  auto file = directory.open(kKeyName, Directory::Mode::Create);
  if (!file) return std::unexpected(std::move(file.error()));
  auto done = (*file)->write_at(0, content.expose());
  if (done) done = (*file)->sync();
  if (done) done = directory.sync();
  if (done) return key;
  static_cast<void>(directory.remove(kKeyName));
  return std::unexpected(std::move(done.error()));
}

}  // namespace

Result<crypto::SecretKey32> load_or_make_key(Directory& directory, Random& random) {
  auto file = directory.open(kKeyName, Directory::Mode::Read);
  if (!file && file.error().code != ErrorCode::NotFound) return std::unexpected(std::move(file.error()));
  if (file) {
    auto key = read_key(**file);
    if (!key) return std::unexpected(std::move(key.error()));
    if (*key) return std::move(**key);
    if (auto removed = directory.remove(kKeyName); !removed) return std::unexpected(std::move(removed.error()));
  }
  return make_key(directory, random);
}

}  // namespace ghmesh::store
