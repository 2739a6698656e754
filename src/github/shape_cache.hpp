// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "github/scanner.hpp"

// Remembers what json_shape() said of bodies that are still the same objects: a body is proved for many tokens, its
// bytes never change, and reading JSON anew would cost as much as hashing it. A body is known by its object, not by its
// address: one that has died is never taken for another. One thread; 1,024 places, about 60 KiB.

namespace ghmesh::github {

class ShapeCache {
 public:
  using Body = std::shared_ptr<const Bytes>;

  std::optional<JsonShape> of(const Body& body);
  // A body whose bytes are known to have that shape, such as a copy.
  void put(const Body& body, const JsonShape& shape);

 private:
  struct Place {
    std::weak_ptr<const Bytes> body;
    const Bytes* at = nullptr;
    JsonShape shape;
  };
  static constexpr std::size_t kPlaces = 1024;
  Place& place_of(const Body& body);
  std::array<Place, kPlaces> places_;
};

}  // namespace ghmesh::github
