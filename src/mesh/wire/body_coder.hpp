// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/result.hpp"
#include "message.hpp"

// Metadata and body of an answer as zstd (RFC 8878), with the dictionary that ships with the program or, as a delta,
// with the receiver's version as prefix. Keeps its contexts. One thread. Private to the room.

namespace ghmesh::mesh {

enum class BodyForm : std::uint8_t { Plain = 0, Zstd = 1, Dictionary = 2, Delta = 3 };

class BodyCoder {
 public:
  BodyCoder();
  ~BodyCoder();

  struct Encoded {
    BodyForm form = BodyForm::Plain;
    ByteView bytes;  // nothing for Plain; valid until the next call, and as long as the item
  };
  // base may be null. What the dictionary makes of an item is kept with it where that is much shorter.
  Encoded encode(const Item& item, const Item* base);
  // Fills metadata, body and version of item. Malformed: anything that does not give exactly the two sizes.
  Result<void> decode(BodyForm form, ByteView bytes, std::size_t metadata_bytes, std::size_t body_bytes,
                      const Item* base, Item& item);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

ByteView body_dictionary();

}  // namespace ghmesh::mesh
