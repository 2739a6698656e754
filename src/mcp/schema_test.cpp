// SPDX-License-Identifier: Apache-2.0
#include "schema.hpp"

#include <gtest/gtest.h>

namespace ghmesh::mcp {
namespace {

const Json kSchema = Json::parse(R"({"type":"object","additionalProperties":false,"required":["path"],"properties":{
  "path":{"type":"string","minLength":1,"maxLength":4},"n":{"type":"integer","minimum":1,"maximum":3},
  "kind":{"enum":["a","b"]},"any":{"type":["string","integer"]},
  "map":{"type":"object","maxProperties":1,"additionalProperties":{"type":"boolean"}}}})");

bool fits(const char* text) { return !mismatch(kSchema, Json::parse(text)); }

TEST(Schema, TakesWhatFits) {
  for (const char* good : {R"({"path":"a"})", R"({"path":"abcd","n":3})", R"({"path":"a","kind":"b"})",
                           R"({"path":"a","any":1,"map":{"x":true}})"})
    EXPECT_TRUE(fits(good)) << good;
}

TEST(Schema, RefusesEachKindOfMistake) {
  for (const char* bad :
       {"[]", "null", "{}", R"({"path":1})", R"({"path":""})", R"({"path":"abcde"})", R"({"path":"a","x":1})",
        R"({"path":"a","n":0})", R"({"path":"a","n":4})", R"({"path":"a","n":1.5})", R"({"path":"a","n":"1"})",
        R"({"path":"a","kind":"c"})", R"({"path":"a","any":true})", R"({"path":"a","map":{"x":1}})",
        R"({"path":"a","map":{"x":true,"y":true}})"})
    EXPECT_FALSE(fits(bad)) << bad;
  EXPECT_EQ(mismatch(kSchema, Json::parse(R"({"path":"a","map":{"x":1}})")), "arguments.map.x must be of type boolean");
}

}  // namespace
}  // namespace ghmesh::mcp
