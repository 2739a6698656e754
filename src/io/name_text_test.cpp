// SPDX-License-Identifier: Apache-2.0
#include "name_text.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "io/sockets.hpp"
#include "io/task_group.hpp"

namespace ghmesh::io {
namespace {

using testing::ElementsAre;

Bytes name_of(std::string_view dotted) {
  Bytes out;
  while (!dotted.empty()) {
    const std::string_view label = dotted.substr(0, dotted.find('.'));
    out.push_back(static_cast<std::uint8_t>(label.size()));
    append(out, as_bytes(label));
    dotted.remove_prefix(std::min(dotted.size(), label.size() + 1));
  }
  out.push_back(0);
  return out;
}

void u16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

// An answer to the question in `query` (or to none) with one TXT record per inner list of strings.
Bytes answer(ByteView query, const std::vector<std::vector<std::string>>& records) {
  Bytes out(query.begin(), query.begin() + 2);
  u16(out, 0x8180);
  u16(out, 1);
  u16(out, records.size());
  u16(out, 0);
  u16(out, 0);
  std::size_t end = 12;
  while (query[end] != 0) end += 1u + query[end];
  append(out, query.subspan(12, end + 5 - 12));
  for (const auto& strings : records) {
    u16(out, 0xc00c);
    u16(out, 16);
    u16(out, 1);
    u16(out, 0);
    u16(out, 60);
    std::size_t size = 0;
    for (const std::string& each : strings) size += 1 + each.size();
    u16(out, size);
    for (const std::string& each : strings) {
      out.push_back(static_cast<std::uint8_t>(each.size()));
      append(out, as_bytes(each));
    }
  }
  return out;
}

Bytes query_for(std::string_view name) {
  Bytes out = *from_hex("123401000001000000000000");
  append(out, name_of(name));
  u16(out, 16);
  u16(out, 1);
  return out;
}

TEST(NameText, StringsOfARecordAreJoined) {
  const auto texts =
      parse_text_answer(answer(query_for("_dnsaddr.example.org"), {{"dnsaddr=/ip4/", "10.0.0.1"}, {"b"}}));
  ASSERT_TRUE(texts);
  EXPECT_THAT(*texts, ElementsAre("dnsaddr=/ip4/10.0.0.1", "b"));
}

TEST(NameText, WhatIsTooMuchIsLeftOut) {
  std::vector<std::vector<std::string>> many(100, {"x"});
  many[0] = std::vector<std::string>(6, std::string(255, 'y'));
  const auto texts = parse_text_answer(answer(query_for("a"), many));
  ASSERT_TRUE(texts);
  EXPECT_EQ(texts->size(), kMaxTexts);
  EXPECT_EQ(texts->front(), "x") << "the long one is not there";
}

TEST(NameText, EveryCutAndEveryFlippedOctetIsSurvived) {
  const Bytes whole = answer(query_for("_dnsaddr.example.org"), {{"dnsaddr=/ip4/", "10.0.0.1"}, {"b"}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_text_answer(ByteView(whole).first(size))) << size;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Bytes broken = whole;
    broken[i] ^= 0xff;
    if (const auto texts = parse_text_answer(broken)) {
      EXPECT_LE(texts->size(), 2u);
    }
  }
}

// A name server on loopback for one question.
class NameServer {
 public:
  explicit NameServer(std::function<Bytes(ByteView)> reply) : reply_(std::move(reply)) {
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    endpoint = {IpAddress::loopback(), ntohs(at.sin_port)};
    thread_ = std::thread([this] {
      std::uint8_t buffer[512];
      sockaddr_in from{};
      socklen_t length = sizeof from;
      const ssize_t n = ::recvfrom(fd_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (n <= 0) return;
      const Bytes out = reply_(ByteView(buffer, static_cast<std::size_t>(n)));
      ::sendto(fd_, out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    });
  }
  ~NameServer() {
    ::shutdown(fd_, SHUT_RDWR);  // wakes a thread that nobody asked
    thread_.join();
    ::close(fd_);
  }
  Endpoint endpoint;

 private:
  std::function<Bytes(ByteView)> reply_;
  int fd_ = -1;
  std::thread thread_;
};

Result<std::vector<std::string>> ask(const Endpoint& server, const std::string& name) {
  EpollLoop loop;
  WorkPool pool(1, "names");
  SocketNetwork network(loop, pool, server);
  std::optional<Result<std::vector<std::string>>> out;
  TaskGroup tasks(loop);
  tasks.spawn([](Network& net, std::string n, auto& o) -> Task<void> { o.emplace(co_await net.resolve_text(n)); }(
                                                           network, name, out));
  EXPECT_TRUE(loop.run_until([&] { return out.has_value(); }, std::chrono::seconds(30)));
  return std::move(*out);
}

TEST(NameText, ARealNameServerIsAsked) {
  NameServer server(
      [](ByteView query) { return answer(query, {{"dnsaddr=/ip4/10.0.0.1/tcp/9100"}, {"v=spf1 -all"}}); });
  const auto texts = ask(server.endpoint, "_dnsaddr.fleet.example");
  ASSERT_TRUE(texts) << texts.error().message;
  EXPECT_THAT(*texts, ElementsAre("dnsaddr=/ip4/10.0.0.1/tcp/9100", "v=spf1 -all"));
}

TEST(NameText, NoSuchNameSaysWhichName) {
  NameServer server([](ByteView query) {
    Bytes out = answer(query, {});
    out[3] |= 3;  // NXDOMAIN
    return out;
  });
  const auto texts = ask(server.endpoint, "_dnsaddr.fleet.example");
  ASSERT_FALSE(texts);
  EXPECT_NE(texts.error().message.find("_dnsaddr.fleet.example"), std::string::npos);
}

}  // namespace
}  // namespace ghmesh::io
