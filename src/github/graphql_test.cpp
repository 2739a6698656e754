// SPDX-License-Identifier: Apache-2.0
#include "github/graphql.hpp"

#include <gtest/gtest.h>

#include <string>

#include "github/limits.hpp"

namespace ghmesh::github::graphql {
namespace {

bool parses(std::string_view text) { return parse_document(text).has_value(); }

TEST(GraphQl, TheGrammarOfExecutableDocuments) {
  for (const char* good :
       {"{a}", "query{a}", "query Q{a}", "query Q($a:Int){f(x:$a)}", "query($a:[Int!]!=[1,2],$b:String=\"x\"@d){f}",
        "mutation M{f(input:{a:1,b:[true,false,null,ENUM],c:{}}){id}}", "subscription{s}",
        "{a b:c ...F ...on T{d} ...{e} ...@include(if:true){f}} fragment F on T @x(y:1.5e3){g}",
        "{a(s:\"\\u00e9\\n\\\"\" b:\"\"\"block \"quoted\" \\\"\"\" end\"\"\" n:-0 f:-1.0E+2 v:$v)}",
        "\xef\xbb\xbf# comment\r\n{a,,,b}#end", "{query mutation fragment on: on true null}", "{a(x:[]y:{})}", "{on}",
        "fragment F on on{a} {b}"})
    EXPECT_TRUE(parses(good)) << good;
  for (const char* bad : {"",
                          " ",
                          "{",
                          "}",
                          "{}",
                          "{a",
                          "{a}}",
                          "query",
                          "query Q",
                          "query Q()",
                          "query Q(){a}",
                          "query(a:Int){f}",
                          "query($a){f}",
                          "{f()}",
                          "{f(a)}",
                          "{f(a:)}",
                          "{f(:1)}",
                          "{f(a:1}",
                          "{a:}",
                          "{a:b:c}",
                          "{...}",
                          "{... on}",
                          "{...on{a}}",
                          "fragment on on T{a}",
                          "fragment F T{a}",
                          "fragment F on T",
                          "{f(a:01)}",
                          "{f(a:1.)}",
                          "{f(a:.5)}",
                          "{f(a:1e)}",
                          "{f(a:1x)}",
                          "{f(a:0xF)}",
                          "{f(a:\"x)}",
                          "{f(a:\"\\x\")}",
                          "{f(a:\"\\u12\")}",
                          "{f(a:\"\n\")}",
                          "{f(a:\"\"\"x)}",
                          "{a..b}",
                          "{a;b}",
                          "{a?b}",
                          "type T{a:Int}",
                          "schema{query:Q}",
                          "extend type T{a:Int}",
                          "{f(a:-)}",
                          "{@d}",
                          "{a@}",
                          "query Q Q{a}",
                          "{a}\x01",
                          "{f(a:1.2.3)}"})
    EXPECT_FALSE(parses(bad)) << bad;
}

TEST(GraphQl, DepthAndSizeAreBounded) {
  const auto nested = [](std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += "{a";
    return out + std::string(n, '}');
  };
  EXPECT_TRUE(parses(nested(kLimits.max_graphql_depth)));
  const auto deep = parse_document(nested(kLimits.max_graphql_depth + 1));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, ErrorCode::Limit);
  EXPECT_FALSE(parses(nested(100000)));
  EXPECT_FALSE(parses("{f(a:" + std::string(100000, '[') + std::string(100000, ']') + ")}"));
  EXPECT_FALSE(parses("query($a:" + std::string(50000, '[') + "I" + std::string(50000, ']') + "){a}"));
  std::string wide = "{";
  for (std::size_t i = 0; i < kLimits.max_graphql_tokens; ++i) wide += "a ";
  EXPECT_FALSE(parses(wide + "}"));
  EXPECT_FALSE(parses("{a}" + std::string(kLimits.max_graphql_document, ' ')));
}

TEST(GraphQl, OperationsAreSelectedByName) {
  const auto one = parse_document("query A{x}");
  EXPECT_EQ(select_operation(*one, "")->name, "A");
  EXPECT_EQ(select_operation(*one, "B"), nullptr);
  const auto many = parse_document("query A{x} mutation B{y} subscription C{z} query D{a} query D{b}");
  EXPECT_EQ(select_operation(*many, ""), nullptr);
  EXPECT_EQ(select_operation(*many, "A")->type, OperationType::Query);
  EXPECT_EQ(select_operation(*many, "B")->type, OperationType::Mutation);
  EXPECT_EQ(select_operation(*many, "C")->type, OperationType::Subscription);
  EXPECT_EQ(select_operation(*many, "D"), nullptr);
}

TEST(GraphQl, MutationsAreKnownWhateverTheTextLooksLike) {
  for (const char* text :
       {"mutation{addComment(input:{}){id}}", "# query\nmutation M{x:addComment{id}}",
        " , mutation @d{... on Mutation{addComment{id}}}", "fragment query on T{a} mutation{addComment}"}) {
    const auto document = parse_document(text);
    ASSERT_TRUE(document) << text;
    const Operation* operation = select_operation(*document, "");
    ASSERT_NE(operation, nullptr) << text;
    EXPECT_EQ(operation->type, OperationType::Mutation) << text;
    EXPECT_EQ(operation->root_fields, std::vector<std::string_view>{"addComment"}) << text;
  }
  // And a query may speak of mutations.
  const auto query = parse_document("{mutation}");
  EXPECT_EQ(select_operation(*query, "")->type, OperationType::Query);
}

TEST(GraphQl, IdentityIsWhatTheServerSees) {
  const auto identity = [](std::string_view body) { return parse_request(body)->identity; };
  const std::string base = identity(R"({"query":"query Q($a:Int){f(x:$a)}","variables":{"a":1,"b":2}})");
  EXPECT_EQ(identity(R"({"variables":{"b":2,"a":1},"query":"query Q ( $a : Int ) {\n  f(x: $a), # c\n}"})"), base);
  for (const char* other :
       {R"({"query":"query Q($a:Int){f(x:$a)}","variables":{"a":2,"b":2}})",
        R"({"query":"query Q($a:Int){f(x:$a)}","variables":{"a":"1","b":2}})",
        R"({"query":"query Q($a:Int){f(x:$a)}","variables":{"a":1}})", R"({"query":"query Q($a:Int){f(x:$a)}"})",
        R"({"query":"query Q($a:Int){f(y:$a)}","variables":{"a":1,"b":2}})",
        R"({"query":"query Q($a:Int){f(x:$a)}","operationName":"Q","variables":{"a":1,"b":2}})"})
    EXPECT_NE(identity(other), base) << other;
  EXPECT_NE(identity(R"({"query":"{f(a:\"x  y\")}"})"), identity(R"({"query":"{f(a:\"x y\")}"})"));
}

TEST(GraphQl, RequestsThatAreNotClear) {
  for (const char* bad : {"", "[]", "{}", R"({"query":1})", R"({"query":"{a"})", R"({"query":"{a} {b}"})",
                          R"({"query":"query A{a} query B{b}"})", R"({"query":"{a}","operationName":"X"})",
                          R"({"query":"{a}","operationName":1})", R"({"query":"{a}","variables":[]})",
                          R"({"query":"{a}","extensions":{}})", R"({"query":"{a}","query":"{b}"})",
                          R"({"query":"{a}","variables":{"x":1,"x":2}})", R"([{"query":"{a}"}])"})
    EXPECT_FALSE(parse_request(bad)) << bad;
  const auto mutation = parse_request(R"({"query":"mutation M{addStar{id}}","operationName":"M","variables":null})");
  ASSERT_TRUE(mutation);
  EXPECT_EQ(mutation->type, OperationType::Mutation);
  EXPECT_EQ(mutation->identity, "");
  EXPECT_EQ(mutation->root_fields, std::vector<std::string>{"addStar"});
}

TEST(GraphQl, AnswersWithErrorsAreNeverKept) {
  EXPECT_TRUE(is_cacheable_answer(200, "application/json; charset=utf-8", R"({"data":{"a":1}})"));
  for (const char* bad : {R"({"data":{"a":1},"errors":[]})", R"({"errors":[{"message":"x"}]})", R"({"data":null})",
                          "[]", "", R"({"message":"x"})"})
    EXPECT_FALSE(is_cacheable_answer(200, "application/json", bad)) << bad;
  EXPECT_FALSE(is_cacheable_answer(502, "application/json", R"({"data":{}})"));
  EXPECT_FALSE(is_cacheable_answer(200, "text/html", R"({"data":{}})"));
}

}  // namespace
}  // namespace ghmesh::github::graphql
