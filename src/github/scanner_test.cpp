// SPDX-License-Identifier: Apache-2.0
#include "github/scanner.hpp"

#include <gtest/gtest.h>

#include <string>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

Finding scan(const std::string& body) { return scan_body(as_bytes(body)); }

TEST(ProofRule12, CredentialsKeepABodyOnTheNode) {
  const std::string token(36, 'A');
  for (const std::string& body : {
           std::string(R"({"temp_clone_token":"ABCDEF"})"),
           std::string(R"({"a":[{"b":{"temp_clone_token":"x"}}]})"),
           std::string(R"({"temp_clone\u005ftoken":"x"})"),
           std::string(R"({"download_url":"https://raw.githubusercontent.com/o/r/main/f?token=ABC"})"),
           std::string(R"({"u":"https://raw.githubusercontent.com/o/r/main/f?a=b&token=ABC"})"),
           std::string(R"({"u":"https://x/f?to\u006ben=ABC"})"),
           std::string(R"({"u":"https://x/f?X-Amz-Signature=00ff"})"),
           std::string(R"({"u":"https://x.blob.core.windows.net/y?sv=1&sig=abc%3D"})"),
           std::string(R"({"u":"https://x/y?jwt=eyJ"})"),
           std::string(R"(["<a href=\"https://x/y?a=1&amp;jwt=eyJ\">"])"),
           R"({"note":"my ghp_)" + token + R"( leaked"})",
           R"({"note":"github_pat_)" + token + R"("})",
           std::string(R"({"clone":"https://x-access-token:secret@github.com/o/r.git"})"),
           std::string(R"({"pem":"-----BEGIN"})"),
           R"({"ghs_)" + token + R"(":1})",
       })
    EXPECT_EQ(scan(body), Finding::Credential) << body;
}

TEST(ProofRule12, OrdinaryBodiesPass) {
  for (const char* body :
       {R"({"temp_clone_token":"","a":1})", R"({"temp_clone_token":null})", "[]", "{}", "1", "\"x\"",
        R"({"html_url":"https://github.com/o/r","email":"a@b.example","body":"set sig=1 and token=2"})",
        R"({"url":"https://api.github.com/repos/o/r/commits?sha=main&per_page=1"})",
        R"({"body":"use ghp_xxxx as the token"})",
        R"({"git_url":"git://github.com/o/r.git","ssh_url":"git@github.com:o/r.git"})",
        R"({"u":"https://x/?design=1&tokens=2&sig="})"})
    EXPECT_EQ(scan(body), Finding::Clean) << body;
}

TEST(ProofRule12, ProfilesSeenByTheirOwnerStay) {
  EXPECT_EQ(scan(R"({"login":"x","private_gists":3})"), Finding::PrivateField);
  EXPECT_EQ(scan(R"({"login":"x","plan":{"name":"pro"}})"), Finding::PrivateField);
  EXPECT_EQ(scan(R"({"login":"x","billing_email":"a@b.example"})"), Finding::PrivateField);
  EXPECT_EQ(scan(R"({"login":"x","billing_email":null})"), Finding::Clean);
}

TEST(ProofRule12, FailsClosed) {
  EXPECT_EQ(scan(""), Finding::NotJson);
  EXPECT_EQ(scan("{"), Finding::NotJson);
  EXPECT_EQ(scan("[] []"), Finding::NotJson);
  EXPECT_EQ(scan("\"\xff\""), Finding::NotJson);
  EXPECT_EQ(scan("plain text"), Finding::NotJson);
  EXPECT_EQ(scan(std::string(64, '[') + std::string(64, ']')), Finding::Clean);
  EXPECT_EQ(scan(std::string(65, '[') + std::string(65, ']')), Finding::TooDeep);
  EXPECT_EQ(scan(std::string(5000, '[') + std::string(5000, ']')), Finding::TooDeep);
  EXPECT_EQ(scan("\"" + std::string(kLimits.max_scan - 2, 'a') + "\""), Finding::Clean);
  EXPECT_EQ(scan("\"" + std::string(kLimits.max_scan - 1, 'a') + "\""), Finding::TooLarge);
}

TEST(ProofRule6, OnlyOneJsonValueIsACandidate) {
  for (const char* good : {"[]", " {\"a\":1} ", "1", "null", "\"x\""})
    EXPECT_TRUE(is_single_json_value(as_bytes(good)));
  // The ambiguous prefix: a body that starts with what would have been an Accept.
  for (const char* bad : {"", "*/*:{\"a\":1}", "{}{}", "[1] x", "x:[]", "Bearer t:[]", "{\"a\":1", "\xff"})
    EXPECT_FALSE(is_single_json_value(as_bytes(bad))) << bad;
}

}  // namespace
}  // namespace ghmesh::github
