// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret.hpp"

#include <gtest/gtest.h>

#include <concepts>
#include <sstream>

#include "base/log.hpp"
#include "crypto/random.hpp"

namespace ghmesh::crypto {
namespace {

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!std::copyable<SecretBytes>);
static_assert(!std::equality_comparable<SecretBytes> && !std::equality_comparable<SecretKey32>);
static_assert(!Printable<SecretBytes> && !Printable<SecretText>);
static_assert(!std::constructible_from<log::Field, std::string_view, const SecretText&>);
static_assert(!std::convertible_to<SecretText, std::string> && !std::convertible_to<SecretText, std::string_view>);

TEST(Secret, MovingWipesTheSource) {
  std::string token = "short";  // lives in the string object itself
  const char* place = token.data();
  SecretText secret(std::move(token));
  EXPECT_EQ(secret.expose(), "short");
  EXPECT_EQ(std::string(place, 5), std::string(5, '\0'));

  SecretKey32 key;
  key.expose_mutable().fill(7);
  const SecretKey32 moved = std::move(key);
  EXPECT_EQ(moved.expose()[31], 7);
  EXPECT_EQ(key.expose(), (std::array<std::uint8_t, 32>{}));  // NOLINT(bugprone-use-after-move): this is the point
}

TEST(Secret, DestructionWipes) {
  alignas(SecretKey32) std::uint8_t place[sizeof(SecretKey32)];
  auto* key = new (place) SecretKey32;
  key->expose_mutable().fill(7);
  key->~SecretKey32();
  for (const std::uint8_t byte : place) EXPECT_EQ(byte, 0);
}

TEST(Secret, CloneAndConstantTimeEqual) {
  const SecretBytes a{Bytes{1, 2, 3}};
  const SecretBytes b = a.clone();
  EXPECT_TRUE(constant_time_equal(a, b));
  EXPECT_FALSE(constant_time_equal(a, SecretBytes{Bytes{1, 2, 4}}));
  EXPECT_FALSE(constant_time_equal(a, SecretBytes{Bytes{1, 2}}));
  EXPECT_TRUE(constant_time_equal(ByteView{}, ByteView{}));
}

TEST(SecureRandom, FillsEveryByteAndDoesNotRepeat) {
  SecureRandom random;
  std::array<std::uint8_t, 4096> a{};
  std::array<std::uint8_t, 4096> b{};
  random.fill(a);
  random.fill(b);
  EXPECT_NE(a, b);
  EXPECT_LT(std::ranges::count(a, 0), 64);  // about 16 expected
  random.fill({});
}

}  // namespace
}  // namespace ghmesh::crypto
