// SPDX-License-Identifier: Apache-2.0
#include "github/pretty.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ghmesh::github {
namespace {

TEST(Pretty, AgentsThatGitHubPrintsFor) {
  for (const char* agent : {"curl/7.88.1", "Wget/1.21.3", "Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0",
                            "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15"})
    EXPECT_TRUE(wants_pretty(agent)) << agent;
  for (const char* agent : {"GitHub CLI 2.23.0", "octokit-rest.js/20.0.0 octokit-core.js/5.0.0 Node.js/20",
                            "python-requests/2.31.0", "Python-urllib/3.11", "go-github/v60", "PyGithub/Python", ""})
    EXPECT_FALSE(wants_pretty(agent)) << agent;
}

TEST(Pretty, TheFormOfTheRecordings) {
  EXPECT_EQ(
      pretty_print(
          R"({"name":null,"draft":false,"assets":[],"author":{"id":1,"x":{}},"labels":["a","b"],"n":[{"k":-1.5e+3}]})"),
      "{\n"
      "  \"name\": null,\n"
      "  \"draft\": false,\n"
      "  \"assets\": [\n"
      "\n"
      "  ],\n"
      "  \"author\": {\n"
      "    \"id\": 1,\n"
      "    \"x\": {\n"
      "\n"
      "    }\n"
      "  },\n"
      "  \"labels\": [\n"
      "    \"a\",\n"
      "    \"b\"\n"
      "  ],\n"
      "  \"n\": [\n"
      "    {\n"
      "      \"k\": -1.5e+3\n"
      "    }\n"
      "  ]\n"
      "}\n");
  EXPECT_EQ(pretty_print("[]"), "[\n\n]\n");
  EXPECT_EQ(pretty_print("{}"), "{\n\n}\n");
}

TEST(Pretty, TokensAreCopiedAsTheyAre) {
  EXPECT_EQ(pretty_print(R"("a\"b\\{[,: é\u00e9")"), "\"a\\\"b\\\\{[,: é\\u00e9\"\n");
  EXPECT_EQ(pretty_print("12345678901234567890.10e+005"), "12345678901234567890.10e+005\n");
}

TEST(Pretty, WhatIsNotOneJsonTextIsLeftAlone) {
  for (const char* bad :
       {"",  " ",  "{",  "]",  "[1,]", "[,1]",  "{\"a\"}", "{\"a\":1,}", "{a:1}",     "[1 2]", "1 2", "01",
        "-", "1.", "1e", "+1", "tru",  "truex", "\"a",     "\"a\nb\"",   "{\"a\":1]", "nul",   "[] x"})
    EXPECT_EQ(pretty_print(bad), std::nullopt) << bad;
  EXPECT_TRUE(pretty_print(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(pretty_print(std::string(65, '[') + std::string(65, ']')));
}

}  // namespace
}  // namespace ghmesh::github
