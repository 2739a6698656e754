// SPDX-License-Identifier: Apache-2.0
#include "io/inherited.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "io/task_group.hpp"

namespace ghmesh::io {
namespace {

// Three sockets from 900 on, as if a parent had put them there.
constexpr int kFirst = 900;

class InheritedTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "/inherited-XXXXXX";
    ASSERT_NE(::mkdtemp(root_.data()), nullptr);
    put(0, open_listening(Endpoint{IpAddress::loopback(), 0}).value());
    put(1, open_listening(root_ + "/s").value());
  }
  void TearDown() override {
    for (int i = 0; i < 3; ++i) ::close(kFirst + i);
    ::unlink((root_ + "/s").c_str());
    ::rmdir(root_.c_str());
  }
  static void put(int index, int fd) {
    ASSERT_EQ(::dup2(fd, kFirst + index), kFirst + index);
    ::close(fd);
  }
  static auto take(std::string_view pid, std::string_view count, std::optional<std::string_view> names) {
    return take_inherited(77, pid, count, names, kFirst);
  }
  std::string root_;
};

TEST_F(InheritedTest, NamesAndKindsAreSeen) {
  const auto got = take("77", "2", "listen:socket");
  ASSERT_TRUE(got) << got.error().message;
  ASSERT_EQ(got->size(), 2u);
  EXPECT_EQ((*got)[0].name, "listen");
  ASSERT_TRUE((*got)[0].endpoint);
  EXPECT_NE((*got)[0].endpoint->port, 0);
  EXPECT_EQ((*got)[1].name, "socket");
  EXPECT_TRUE((*got)[1].local());
  EXPECT_EQ((*got)[1].path, root_ + "/s");
  EXPECT_TRUE(::fcntl(kFirst, F_GETFD) & FD_CLOEXEC);
  EXPECT_TRUE(::fcntl(kFirst + 1, F_GETFL) & O_NONBLOCK);
}

TEST_F(InheritedTest, WhatIsForSomebodyElseIsLeft) {
  EXPECT_TRUE(take("78", "2", std::nullopt)->empty());
  EXPECT_TRUE(take_inherited(77, std::nullopt, std::nullopt, std::nullopt)->empty());
  EXPECT_TRUE(take("77", "0", "")->empty());
}

TEST_F(InheritedTest, ContradictionsAreNamed) {
  EXPECT_FALSE(take("77", "many", std::nullopt));
  EXPECT_FALSE(take("77", "-1", std::nullopt));
  EXPECT_FALSE(take("77", "65", std::nullopt));
  EXPECT_FALSE(take("77", "2", "listen"));
  const auto absent = take("77", "3", std::nullopt);
  ASSERT_FALSE(absent);
  EXPECT_NE(absent.error().message.find("902"), std::string::npos);
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  put(2, pair[0]);
  EXPECT_FALSE(take("77", "3", std::nullopt)) << "connected, not listening";
  ::close(pair[1]);
}

TEST_F(InheritedTest, ClosingTheListenerLeavesTheSocketListening) {
  EpollLoop loop;
  const auto got = take("77", "1", std::nullopt);
  const int kept = ::dup(kFirst);
  {
    make_socket_listener(loop, ::dup(kFirst))->close();
  }
  // Somebody who connects now waits for the next one who serves.
  WorkPool pool(1, "resolve");
  SocketNetwork network(loop, pool);
  std::optional<bool> connected;
  TaskGroup group(loop);
  group.spawn([](SocketNetwork& n, Endpoint at, std::optional<bool>& out) -> Task<> {
    const auto stream = co_await n.dial(at);
    out = stream.has_value();
  }(network, *(*got)[0].endpoint, connected));
  loop.run_until([&] { return connected.has_value(); }, std::chrono::seconds(10));
  EXPECT_EQ(connected, true);
  ::close(kept);
}

}  // namespace
}  // namespace ghmesh::io
