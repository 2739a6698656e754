// SPDX-License-Identifier: Apache-2.0
#include "github/etag.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

using http::Fields;

std::string read_vector(const char* name) {
  std::ifstream in(std::string(GHMESH_SOURCE_DIR "/tests/vectors/github/") + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string tag(const Fields& fields, std::string_view body) {
  return etag_of(etag_prefix(canonicalise("GET", fields)), as_bytes(body));
}

TEST(Etag, PublishedVectors) {
  const std::string body = read_vector("etag-user.json");
  ASSERT_FALSE(body.empty());
  EXPECT_EQ(tag(Fields{{"Accept", "application/vnd.github.v3+json"}}, body),
            "125f46f7d22cd8f41ea1534256ba85a45f4a0e3dcf995da9fecfe3361b93407d");
  EXPECT_EQ(tag(Fields{{"Accept", "application/vnd.github.v3+json"}, {"Authorization", "Bearer hunter2"}}, body),
            "2c3b29a72c9c09135a89fe51c46613393b445efabdf6f02105dc1561237093a4");
}

TEST(Etag, RecordingsAreWellFormed) {
  std::istringstream in(read_vector("etag-recordings.tsv"));
  std::size_t rows = 0;
  for (std::string line; std::getline(in, line); ++rows) {
    const std::size_t at = line.rfind('\t', line.rfind('\t') - 1) + 1;
    EXPECT_TRUE(has_formula_shape("\"" + line.substr(at, 64) + "\"")) << line;
  }
  EXPECT_EQ(rows, 21u);
}

TEST(ProofRule1, TheTagIsOfTheBytesThatWillBeServed) {
  // printf 'application/vnd.github+json:[]' | sha256sum, and so on.
  EXPECT_EQ(tag({}, "[]"), "74d1db57f0fec3481bb6b4d9bcdc020d656635ec6c53ee589d27a8831cbbe280");
  EXPECT_EQ(tag(Fields{{"Authorization", "token X"}}, "[]"),
            "c559633f40d3381773c6d650086ff85852c6f2b0cc4a3d7872009e5d5c52349e");
  EXPECT_EQ(tag(Fields{{"Authorization", "token X"}, {"Accept", "*/*"}}, "{\"id\":1}"),
            "7980d931a0a8287a6510dd882c9038599db9fd48f05ee73e61d3cd6c88ee530a");
  EXPECT_NE(tag({}, "[]"), tag({}, "[] "));
}

TEST(Etag, ComparesWeakly) {
  const std::string hex = tag({}, "[]");
  EXPECT_TRUE(etag_equals("\"" + hex + "\"", hex));
  EXPECT_TRUE(etag_equals("W/\"" + hex + "\"", hex));
  EXPECT_FALSE(etag_equals(hex, hex));
  EXPECT_FALSE(etag_equals("\"" + hex + "0\"", hex));
  EXPECT_FALSE(etag_equals("w/\"" + hex + "\"", hex));
  EXPECT_TRUE(has_formula_shape("W/" + quoted_etag(hex)));
  EXPECT_FALSE(has_formula_shape("\"" + hex.substr(32) + "\""));
  EXPECT_FALSE(has_formula_shape("\"" + std::string(64, 'G') + "\""));
}

TEST(Etag, PrefixStatesAreKeptPerTokenAndMediaType) {
  PrefixCache cache;
  const Canonical a = canonicalise("GET", Fields{{"Authorization", "token A"}});
  const Canonical b = canonicalise("GET", Fields{{"Authorization", "token B"}});
  const Canonical raw = canonicalise("GET", Fields{{"Authorization", "token A"}, {"Accept", "application/json"}});
  Partition pa{}, pb{};
  pa[0] = 1;
  pb[0] = 2;
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(etag_of(cache.get(pa, a), as_bytes("x")), etag_of(etag_prefix(a), as_bytes("x")));
    EXPECT_EQ(etag_of(cache.get(pb, b), as_bytes("x")), etag_of(etag_prefix(b), as_bytes("x")));
    EXPECT_EQ(etag_of(cache.get(pa, raw), as_bytes("x")), etag_of(etag_prefix(raw), as_bytes("x")));
  }
  EXPECT_EQ(cache.size(), 3u);
  for (std::size_t i = 0; i < kLimits.max_prefix_states + 5; ++i) {
    store_be(pa.data() + 8, static_cast<std::uint64_t>(i));
    cache.get(pa, a);
    EXPECT_LE(cache.size(), kLimits.max_prefix_states);
  }
}

}  // namespace
}  // namespace ghmesh::github
