// SPDX-License-Identifier: Apache-2.0
#include "json_rpc.hpp"

#include <gtest/gtest.h>

namespace ghmesh::mcp {
namespace {

int code_of(std::string_view text) {
  const auto message = parse_message(text, 8);
  return message ? 0 : message.error().code;
}

TEST(JsonRpc, ReadsTheThreeKindsOfMessages) {
  const auto request = parse_message(R"({"jsonrpc":"2.0","id":7,"method":"ping"})", 8);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->kind, Message::Kind::Request);
  EXPECT_EQ(request->id, 7);
  EXPECT_TRUE(request->params.is_object());
  const auto told = parse_message(R"({"jsonrpc":"2.0","method":"notifications/x","params":{"a":1}})", 8);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->kind, Message::Kind::Notification);
  EXPECT_EQ(told->params["a"], 1);
  EXPECT_EQ(parse_message(R"({"jsonrpc":"2.0","id":"a","result":{}})", 8)->kind, Message::Kind::Response);
}

TEST(JsonRpc, RefusesWhatIsNone) {
  EXPECT_EQ(code_of(""), kParseError);
  EXPECT_EQ(code_of("{"), kParseError);
  EXPECT_EQ(code_of("\xff\xfe"), kParseError);
  EXPECT_EQ(code_of(std::string(100'000, '[')), kParseError);
  EXPECT_EQ(code_of("[]"), kInvalidRequest);
  EXPECT_EQ(code_of("1"), kInvalidRequest);
  for (const char* bad :
       {R"({"id":1,"method":"ping"})", R"({"jsonrpc":"1.0","id":1,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":null,"method":"ping"})", R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":[],"method":"ping"})", R"({"jsonrpc":"2.0","id":1,"method":1})",
        R"({"jsonrpc":"2.0","id":1})"})
    EXPECT_EQ(code_of(bad), kInvalidRequest) << bad;
  EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[]})"), kInvalidParams);
}

TEST(JsonRpc, DepthIsThatOfTheTextNotOfItsStrings) {
  EXPECT_TRUE(parse_json(R"({"a":"[[[[[[[[[[[[","b":"\"[[[[[[[[[["})", 2));
  EXPECT_TRUE(parse_json("[[[[]]]]", 4));
  EXPECT_FALSE(parse_json("[[[[[]]]]]", 4));
}

TEST(JsonRpc, WritesOneLineWhateverIsInside) {
  EXPECT_EQ(format_result(1, Json{{"a", "b\n\xff"}}),
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\"b\\n\xEF\xBF\xBD\"}}");
  EXPECT_EQ(format_error("x", {kBusy, "no", nullptr}),
            R"({"jsonrpc":"2.0","id":"x","error":{"code":-32000,"message":"no"}})");
}

}  // namespace
}  // namespace ghmesh::mcp
