// SPDX-License-Identifier: Apache-2.0
#include "gh_config.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "node/config/config.hpp"

namespace ghmesh::cli {
namespace {

std::string changed(std::string_view yaml) { return with_unix_socket(yaml, "/run/g.sock").value(); }

TEST(GhConfig, OnlyTheSocketChanges) {
  EXPECT_EQ(changed(""), "http_unix_socket: '/run/g.sock'\n");
  EXPECT_EQ(changed("{}\n"), "http_unix_socket: '/run/g.sock'\n");
  EXPECT_EQ(changed("# a comment\neditor: vim\naliases:\n    co: pr checkout\n"),
            "# a comment\nhttp_unix_socket: '/run/g.sock'\neditor: vim\naliases:\n    co: pr checkout\n");
  EXPECT_EQ(changed("git_protocol: ssh\nhttp_unix_socket: /old\neditor: vim\n"),
            "http_unix_socket: '/run/g.sock'\ngit_protocol: ssh\neditor: vim\n");
  EXPECT_EQ(changed("http_unix_socket:\n# c\npager: less"), "http_unix_socket: '/run/g.sock'\n# c\npager: less");
  EXPECT_EQ(changed("\"http_unix_socket\" : |\n  /old\n\n'x': 1\n"), "http_unix_socket: '/run/g.sock'\n\n'x': 1\n");
  EXPECT_EQ(changed("---\r\neditor: vim\r\n"), "---\r\nhttp_unix_socket: '/run/g.sock'\neditor: vim\r\n");
}

TEST(GhConfig, NestedAndSimilarKeysStay) {
  const std::string text = "http_unix_socket_x: 1\nhosts:\n    http_unix_socket: /nested\n";
  EXPECT_EQ(changed(text), "http_unix_socket: '/run/g.sock'\n" + text);
}

TEST(GhConfig, PathsAreQuoted) {
  EXPECT_EQ(with_unix_socket("", "/it's: #x").value(), "http_unix_socket: '/it''s: #x'\n");
}

TEST(GhConfig, WhatIsNotPlainLinesIsLeftAlone) {
  for (const char* text : {"{editor: vim}\n", "- a\n", "a: 1\n---\nb: 2\n", "%YAML 1.2\n---\na: 1\n", "&x\na: 1\n"})
    EXPECT_FALSE(with_unix_socket(text, "/s")) << text;
}

TEST(GhConfig, TheCopyIsPrivateAndTheOriginalUntouched) {
  std::string root = testing::TempDir() + "/gh-config-XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  const std::string from = root + "/from";
  std::filesystem::create_directories(from + "/nested");
  std::ofstream(from + "/config.yml") << "editor: vim\n";
  std::ofstream(from + "/hosts.yml") << "github.com:\n    oauth_token: x\n";
  ASSERT_TRUE(copy_gh_config(from, root + "/to", "/s"));
  EXPECT_EQ(node::config::read_small_file(root + "/to/config.yml").value(), "http_unix_socket: '/s'\neditor: vim\n");
  EXPECT_EQ(node::config::read_small_file(root + "/to/hosts.yml").value(), "github.com:\n    oauth_token: x\n");
  EXPECT_EQ(node::config::read_small_file(from + "/config.yml").value(), "editor: vim\n");
  struct stat info{};
  ASSERT_EQ(::stat((root + "/to/hosts.yml").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat((root + "/to").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_TRUE(copy_gh_config(root + "/absent", root + "/to2", "/s"));
  ASSERT_TRUE(copy_gh_config(std::nullopt, root + "/to3", "/s"));
  std::filesystem::remove_all(root);
}

TEST(GhConfig, TheDirectoryIsWhereGhLooks) {
  using Map = std::map<std::string, std::string, std::less<>>;
  const auto dir = [](Map variables) { return gh_config_dir(node::config::Variables(std::move(variables))); };
  EXPECT_EQ(dir({{"GH_CONFIG_DIR", "/a"}, {"XDG_CONFIG_HOME", "/b"}, {"HOME", "/c"}}), "/a");
  EXPECT_EQ(dir({{"XDG_CONFIG_HOME", "/b"}, {"HOME", "/c"}}), "/b/gh");
  EXPECT_EQ(dir({{"HOME", "/c"}}), "/c/.config/gh");
  EXPECT_EQ(dir({}), std::nullopt);
}

}  // namespace
}  // namespace ghmesh::cli
