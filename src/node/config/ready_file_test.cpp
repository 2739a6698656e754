// SPDX-License-Identifier: Apache-2.0
#include "node/config/ready_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "node/config/config.hpp"

namespace ghmesh::node::config {
namespace {

TEST(ReadyFile, ReadsBackWhatItWrites) {
  Ready ready;
  ready.listen = io::Endpoint::parse("127.0.0.1:40001");
  ready.socket = "/run/a \"b\".sock";
  ready.p2p = {"/ip4/10.0.0.1/tcp/9100", "/ip6/::1/tcp/9100"};
  ready.pid = 4711;
  const Result<Ready> back = parse_ready(format_ready(ready));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->listen, ready.listen);
  EXPECT_EQ(back->socket, ready.socket);
  EXPECT_EQ(back->admin, std::nullopt);
  EXPECT_EQ(back->p2p, ready.p2p);
  EXPECT_EQ(back->peer_id, std::nullopt);
  EXPECT_EQ(back->pid, 4711);
}

TEST(ReadyFile, RefusesWhatIsNotOne) {
  for (const char* bad : {"", "[]", "{", R"({"listen":1})", R"({"listen":"x"})", R"({"admin":"127.0.0.1"})",
                          R"({"socket":[]})", R"({"p2p":{}})", R"({"p2p":[1]})", R"({"pid":"1"})", R"({"peer_id":7})"})
    EXPECT_FALSE(parse_ready(bad)) << bad;
  EXPECT_TRUE(parse_ready(R"({"future":{"x":[1]}})"));
}

TEST(ReadyFile, IsPrivateAndLeavesNothingBeside) {
  std::string folder = testing::TempDir() + "/ready-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/ready.json";
  Ready ready;
  ready.pid = 1;
  ASSERT_TRUE(write_ready_file(path, ready));
  ready.pid = 2;
  ASSERT_TRUE(write_ready_file(path, ready));
  EXPECT_EQ(parse_ready(read_small_file(path).value()).value().pid, 2);
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  EXPECT_FALSE(write_ready_file(folder + "/absent/ready.json", ready));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace ghmesh::node::config
