// SPDX-License-Identifier: Apache-2.0
#include "proxy/shared_head.hpp"

#include <gtest/gtest.h>

namespace ghmesh::proxy {
namespace {

TEST(SharedHead, CarriesWhatIsAboutTheBodyAndNothingElse) {
  const http::Fields fields{{"Server", "github.com"},
                            {"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                            {"Content-Type", "application/json; charset=utf-8"},
                            {"X-RateLimit-Remaining", "4999"},
                            {"X-OAuth-Scopes", "repo"},
                            {"Vary", "Accept, Authorization"},
                            {"Link", "<https://api.github.com/a?page=2>; rel=\"next\""},
                            {"Vary", "X-Requested-With"},
                            {"ETag", "\"abc\""}};
  const auto head = decode_shared_head(encode_shared_head(fields, false));
  ASSERT_TRUE(head);
  EXPECT_FALSE(head->tag_by_formula);
  EXPECT_EQ(head->fields.size(), 4u);
  EXPECT_EQ(head->fields.first("ETag"), "\"abc\"");
  EXPECT_EQ(head->fields.first("Vary"), "Accept, Authorization, X-Requested-With");
  EXPECT_EQ(head->fields.first("Link"), fields.first("Link"));
}

TEST(SharedHead, TheSameAnswerHasTheSameBytesForEveryToken) {
  const http::Fields one{{"ETag", "\"1\""}, {"Content-Type", "application/json"}, {"Date", "x"}};
  const http::Fields two{{"Content-Type", "application/json"}, {"X-Request-Id", "7"}, {"ETag", "\"2\""}};
  EXPECT_EQ(encode_shared_head(one, true), encode_shared_head(two, true));
  EXPECT_NE(encode_shared_head(one, false), encode_shared_head(two, false));
  const auto head = decode_shared_head(encode_shared_head(one, true));
  ASSERT_TRUE(head);
  EXPECT_TRUE(head->tag_by_formula);
  EXPECT_FALSE(head->fields.has("ETag"));
}

TEST(SharedHead, A37_AHeadThatNobodyWroteIsRefused) {
  const Bytes good = encode_shared_head(http::Fields{{"Content-Type", "a/b"}, {"Link", "<x>"}}, true);
  ASSERT_TRUE(decode_shared_head(good));
  for (std::size_t size = 0; size < good.size(); ++size) {
    // Cut between two fields it is a shorter head, and one that its version tells apart.
    const auto cut = decode_shared_head(ByteView(good).first(size));
    EXPECT_EQ(cut.has_value(), size == 2 || size == 8) << size;
  }
  const auto patched = [&](std::size_t at, std::uint8_t value) {
    Bytes bytes = good;
    bytes[at] = value;
    return decode_shared_head(bytes).has_value();
  };
  EXPECT_FALSE(patched(0, 2)) << "version";
  EXPECT_FALSE(patched(1, 2)) << "flags";
  EXPECT_FALSE(patched(2, 9)) << "a field without a name";
  EXPECT_FALSE(patched(8, 0)) << "a field twice";
  EXPECT_FALSE(patched(5, '\n')) << "a line of its own";
  EXPECT_FALSE(patched(2, 7)) << "a tag where the formula makes one";
}

}  // namespace
}  // namespace ghmesh::proxy
