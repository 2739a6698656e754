// SPDX-License-Identifier: Apache-2.0
#include "admin/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghmesh::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::array<std::string_view, 5> kPaths{"/", "/page.js", "/page.css", "/icon.svg", "/licences.txt"};

TEST(Page, EveryFileIsThereInTwoForms) {
  for (const std::string_view path : kPaths) {
    const PageFile* file = find_page(path);
    ASSERT_NE(file, nullptr) << path;
    EXPECT_FALSE(file->plain.empty()) << path;
    EXPECT_TRUE(file->zipped.starts_with("\x1f\x8b")) << path;
    EXPECT_LT(file->zipped.size(), file->plain.size()) << path;
  }
  EXPECT_EQ(find_page("/index.html"), nullptr);
  EXPECT_EQ(find_page("/src/main.ts"), nullptr);
}

TEST(Page, AllOfItIsSmall) {
  std::size_t bytes = 0;
  for (const std::string_view path : kPaths) bytes += find_page(path)->zipped.size();
  EXPECT_LE(bytes, 150u * 1024);
}

TEST(Page, ZippedForThoseWhoTakeIt) {
  const PageFile& file = *find_page("/page.js");
  const http::Fields takes{{"Accept-Encoding", "gzip, deflate, br"}};
  const PageAnswer zipped = answer_page(file, takes.view());
  EXPECT_EQ(zipped.status, 200);
  EXPECT_EQ(zipped.fields.first("Content-Encoding"), "gzip");
  EXPECT_EQ(zipped.body, file.zipped);
  const http::Fields refuses{{"Accept-Encoding", "gzip;q=0"}};
  for (const PageAnswer& plain : {answer_page(file, refuses.view()), answer_page(file, {})}) {
    EXPECT_FALSE(plain.fields.first("Content-Encoding"));
    EXPECT_EQ(plain.body, file.plain);
    EXPECT_EQ(plain.fields.first("Vary"), "Accept-Encoding");
    EXPECT_NE(plain.fields.first("ETag"), zipped.fields.first("ETag"));
  }
}

TEST(Page, WhatIsHeldIsNotSentAgain) {
  const PageFile& file = *find_page("/");
  const std::string tag(answer_page(file, {}).fields.first("ETag").value());
  const http::Fields holds{{"If-None-Match", "\"other\", W/" + tag}};
  const PageAnswer answer = answer_page(file, holds.view());
  EXPECT_EQ(answer.status, 304);
  EXPECT_TRUE(answer.body.empty());
  EXPECT_EQ(answer.fields.first("ETag"), tag);
  const http::Fields holds_zipped{{"If-None-Match", tag}, {"Accept-Encoding", "gzip"}};
  EXPECT_EQ(answer_page(file, holds_zipped.view()).status, 200);
}

TEST(Page, NothingForeignNothingInline) {
  for (const std::string_view path : kPaths) {
    const PageAnswer answer = answer_page(*find_page(path), {});
    const std::string policy(answer.fields.first("Content-Security-Policy").value());
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_EQ(answer.fields.first("X-Content-Type-Options"), "nosniff");
  }
  EXPECT_THAT(std::string(find_page("/")->plain), Not(HasSubstr("<style")));
  EXPECT_THAT(std::string(find_page("/")->plain), Not(HasSubstr("://")));
}

}  // namespace
}  // namespace ghmesh::admin
