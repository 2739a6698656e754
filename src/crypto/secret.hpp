// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "base/bytes.hpp"

// Values that must not leak: keys, tokens, shared secrets. A Secret cannot be printed, logged, copied by accident or
// compared with ==; its bytes are overwritten when it dies or moves away. Reading takes an explicit expose(), so that
// every place where a secret becomes plain bytes can be found by searching for that word. No thread of its own; the
// owner of the Secret owns the bytes.

namespace ghmesh::crypto {

// Overwrites with zeros; never optimised away.
void wipe(MutableByteView bytes);

// Compares in time that depends on the lengths only.
bool constant_time_equal(ByteView a, ByteView b);

template <typename T>
concept SecretStorage = std::same_as<T, Bytes> || std::same_as<T, std::string> ||
                        (std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>);

template <SecretStorage T>
class Secret {
 public:
  Secret() = default;
  // Takes the value and wipes the place where it came from.
  explicit Secret(T&& value) : value_(std::move(value)) { wipe_value(value); }

  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe_value(other.value_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    wipe_value(value_);
    value_ = std::move(other.value_);
    wipe_value(other.value_);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe_value(value_); }

  // A second copy, asked for by name.
  Secret clone() const {
    Secret copy;
    copy.value_ = value_;
    return copy;
  }

  // The bytes themselves. Do not keep copies of what this returns.
  const T& expose() const { return value_; }
  // For filling in place. Do not let a vector or string grow through it: the old buffer would not be wiped.
  T& expose_mutable() { return value_; }

  friend bool operator==(const Secret&, const Secret&) = delete;

 private:
  static void wipe_value(T& value) {
    if constexpr (std::same_as<T, Bytes> || std::same_as<T, std::string>) {
      // Up to the capacity: a short string leaves its characters behind when it is moved from.
      value.resize(value.capacity());
      wipe({reinterpret_cast<std::uint8_t*>(value.data()), value.size()});
      value.clear();
    } else {
      wipe({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    }
  }

  T value_{};
};

using SecretBytes = Secret<Bytes>;
using SecretText = Secret<std::string>;
using SecretKey32 = Secret<std::array<std::uint8_t, 32>>;

// Equality of two secrets, or of a secret and what someone presented, in constant time.
template <SecretStorage T>
bool constant_time_equal(const Secret<T>& a, const Secret<T>& b) {
  const auto view = [](const T& value) -> ByteView {
    if constexpr (std::same_as<T, std::string>) {
      return as_bytes(value);
    } else if constexpr (std::same_as<T, Bytes>) {
      return value;
    } else {
      return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
    }
  };
  return constant_time_equal(view(a.expose()), view(b.expose()));
}

}  // namespace ghmesh::crypto
