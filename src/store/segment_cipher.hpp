// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/aead.hpp"
#include "segment_format.hpp"

// AES-256-GCM for one file of the store. Each file has a key of its own, HKDF(store key, salt, purpose), with 32 random
// bytes as salt, so no two files share a key. Inside a file the nonce is the offset and which part of the record it is.
// Rationale: an offset of a file is sealed at most once in the file's life (a file is never reopened for appending, and
// a failed write closes it for good), so no nonce ever comes twice under a key, whatever crashes or copies happen.
// One thread.

namespace ghmesh::store {

enum class FilePurpose { Segment, Hint };

class FileCipher {
 public:
  enum class Part : std::uint32_t { FileHeader = 0, Head = 1, Payload = 2, Hint = 3 };

  FileCipher(const crypto::SecretKey32& store_key, FilePurpose purpose, const Salt& salt);

  // In place: the last kTagBytes of buffer are room for the tag.
  void seal(std::uint64_t offset, Part part, ByteView aad, MutableByteView buffer);
  // In place; false: not what was sealed here.
  [[nodiscard]] bool open(std::uint64_t offset, Part part, ByteView aad, MutableByteView buffer);

 private:
  crypto::Aead aead_;
};

// The first kFileHeaderBytes of a segment or hint file.
struct FileHeader {
  std::uint32_t segment = 0;
  Salt salt{};
};
std::array<std::uint8_t, kFileHeaderBytes> seal_file_header(const FileHeader& header, FilePurpose purpose,
                                                            FileCipher& cipher);

struct OpenedFile {
  FileHeader header;
  FileCipher cipher;
};
// The cipher of the file that starts with bytes; nothing unless it is a file of that purpose and segment, made under
// store_key. A file under another's name is caught here.
std::optional<OpenedFile> open_file_header(ByteView bytes, FilePurpose purpose, std::uint32_t segment,
                                           const crypto::SecretKey32& store_key);

}  // namespace ghmesh::store
