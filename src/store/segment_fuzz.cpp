// SPDX-License-Identifier: Apache-2.0
// A directory after damage. The store writes a few records under a fixed key; the input says which files are changed
// where. Whatever is left must open, and what comes back must be what was put.
#include <cstdint>

#include "base/check.hpp"
#include "segment_format.hpp"
#include "segment_log.hpp"
#include "store/memory_files.hpp"
#include "test_records.hpp"

namespace {

using namespace ghmesh;
using namespace ghmesh::store;

constexpr std::uint64_t kRecords = 5;

Limits limits() { return {.segment_bytes = 2048}; }

void write_records(MemoryDisk& disk) {
  const auto directory = disk.open();
  SeededRandom random(1);
  SegmentLog log(*directory, crypto::SecretKey32(), limits(), {}, random);
  GHMESH_CHECK(log.recover([](const HintEntry&, std::uint32_t) {}));
  for (std::uint64_t n = 0; n < kRecords; ++n) GHMESH_CHECK(log.append(*test_entry(n, 1, 400)));
  GHMESH_CHECK(log.append_removal(test_key(0)));
  log.finish_segment();
}

// Edits of six bytes: file, operation, position (2), value, count.
void damage(MemoryDisk& disk, ByteView input) {
  const auto names = disk.names();
  for (; input.size() >= 6; input = input.subspan(6)) {
    const std::string& name = names[input[0] % names.size()];
    Bytes bytes = disk.content(name);
    const std::size_t at = bytes.empty() ? 0 : load_le<std::uint16_t>(&input[2]) % bytes.size();
    const std::size_t count = std::min<std::size_t>(input[5], bytes.size() - at);
    switch (input[1] % 5) {
      case 0:
        if (!bytes.empty()) bytes[at] ^= input[4];
        break;
      case 1: bytes.resize(at); break;
      case 2: bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), input[5], input[4]); break;
      case 3:
        bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    bytes.begin() + static_cast<std::ptrdiff_t>(at + count));
        break;
      case 4: bytes = disk.content(names[input[4] % names.size()]); break;
    }
    disk.set_content(name, std::move(bytes));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::map<std::string, Bytes> kFiles = [] {
    MemoryDisk disk;
    write_records(disk);
    std::map<std::string, Bytes> files;
    for (const std::string& name : disk.names()) files[name] = disk.content(name);
    return files;
  }();
  MemoryDisk disk;
  for (const auto& [name, bytes] : kFiles) disk.set_content(name, bytes);
  damage(disk, ByteView(data, size));

  const auto directory = disk.open();
  SeededRandom random(2);
  SegmentLog log(*directory, crypto::SecretKey32(), limits(), {}, random);
  std::map<Key, Location> index;
  const auto recovered = log.recover([&](const HintEntry& entry, std::uint32_t segment) {
    if (entry.kind == RecordKind::Put)
      index[entry.key] = {segment, entry.offset, entry.length};
    else
      index.erase(entry.key);
  });
  GHMESH_CHECK(recovered);
  for (const auto& [key, where] : index) {
    const auto entry = log.read(where, key);
    if (!entry) continue;
    bool known = false;
    for (std::uint64_t n = 0; n < kRecords; ++n) known = known || same(**entry, *test_entry(n, 1, 400));
    GHMESH_CHECK(known);
  }
  GHMESH_CHECK(log.append(*test_entry(9)));
  return 0;
}
