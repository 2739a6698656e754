// SPDX-License-Identifier: Apache-2.0
#include "proxy/way_out.hpp"

#include <gtest/gtest.h>

#include "io/manual_loop.hpp"
#include "io/memory_network.hpp"
#include "io/task_group.hpp"

namespace ghmesh::proxy {
namespace {

TEST(NoProxy, NamesAndWhatIsBelowThem) {
  for (const char* list : {"*", "api.github.com", "a,github.com", ".github.com", "*.github.com", "api.github.com:443",
                           "GitHub.com", "a b, api.github.com"})
    EXPECT_TRUE(is_direct(list, "api.github.com", 443)) << list;
  for (const char* list : {"", "localhost", "hub.com", "xapi.github.com", "api.github.com.example", ".", ",", "*.",
                           "api.github.com:8443", "actions.githubusercontent.com", "10.0.0.0/8"})
    EXPECT_FALSE(is_direct(list, "api.github.com", 443)) << list;
  EXPECT_FALSE(is_direct("github.com", "api.github.com", 443, false));
  EXPECT_TRUE(is_direct("github.com", "github.com", 443, false));
}

TEST(NoProxy, AddressesAndNetworks) {
  for (const char* list : {"10.1.2.3", "10.0.0.0/8", "10.1.2.0/25", "10.1.2.3/32", "0.0.0.0/0", "10.1.2.3:443"})
    EXPECT_TRUE(is_direct(list, "10.1.2.3", 443)) << list;
  for (const char* list : {"10.1.2.4", "11.0.0.0/8", "10.1.2.128/25", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/",
                           "fd00::/8", "2.3", ".2.3", "10.1.2.3:80"})
    EXPECT_FALSE(is_direct(list, "10.1.2.3", 443)) << list;
  EXPECT_TRUE(is_direct("fd00::/8", "[fd00::7]", 443));
  EXPECT_TRUE(is_direct("::1", "[::1]", 443));
  EXPECT_TRUE(is_direct("[::1]:443", "[::1]", 443));
  EXPECT_FALSE(is_direct("[::1]:80", "[::1]", 443));
}

TEST(Via, AWholeNameOnly) {
  for (const char* via : {"1.1 me", "1.1 me, 1.1 other", "1.0 other,1.1 me (ghmesh)", "HTTP/1.1 me"})
    EXPECT_TRUE(names_in_via(via, "me")) << via;
  for (const char* via : {"", "me", "1.1 mee", "1.1 some", "1.1 other (me)", "1.1 m"})
    EXPECT_FALSE(names_in_via(via, "me")) << via;
}

struct WayOutTest : ::testing::Test {
  io::ManualLoop loop;
  io::MemoryNetwork cable{loop};
  std::unique_ptr<io::Network> network = cable.host(io::IpAddress::v4(10, 0, 0, 1));
  std::unique_ptr<io::Network> far = cable.host(io::IpAddress::v4(10, 0, 0, 9));
  std::unique_ptr<io::Listener> listener;
  std::string asked;
  io::TaskGroup group{loop};
  std::optional<Result<std::unique_ptr<io::Stream>>> stream;

  WayOut make(std::string credentials = "") {
    listener = *far->listen({io::IpAddress::v4(10, 0, 0, 9), 3128});
    return WayOut({"10.0.0.9", 3128, crypto::SecretText(std::move(credentials)), ".direct.test", "ghmesh-1"});
  }
  // A proxy that takes one CONNECT and says this.
  void answer(std::string text) {
    group.spawn([](WayOutTest& t, std::string say) -> io::Task<> {
      auto client = co_await t.listener->accept();
      Bytes room(4096);
      while (t.asked.find("\r\n\r\n") == std::string::npos) {
        const auto count = co_await (*client)->read_some(room);
        if (!count || *count == 0) co_return;
        t.asked.append(as_text(ByteView(room).first(*count)));
      }
      co_await (*client)->write_all(as_bytes(say));
      (*client)->shutdown_write();
    }(*this, std::move(text)));
  }
  void connect(WayOut& way, std::string host = "api.github.com") {
    group.spawn([](WayOutTest& t, WayOut& w, std::string to) -> io::Task<> {
      t.stream = co_await w.connect(*t.network, to, 443);
    }(*this, way, std::move(host)));
    loop.advance(std::chrono::seconds(1));
  }
};

TEST_F(WayOutTest, AsksForATunnelAndKeepsWhatCameEarly) {
  WayOut way = make("user:pa ss:word");
  answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\nProxy-Agent: x\r\n\r\nearly");
  connect(way);
  EXPECT_EQ(asked,
            "CONNECT api.github.com:443 HTTP/1.1\r\nHost: api.github.com:443\r\nVia: 1.1 ghmesh-1\r\n"
            "Proxy-Authorization: Basic dXNlcjpwYSBzczp3b3Jk\r\n\r\n");
  ASSERT_TRUE(stream && *stream);
  Bytes room(2);
  std::string text;
  for (int i = 0; i < 3; ++i) {
    const io::IoStatus status = (**stream)->try_read(room);
    ASSERT_EQ(status.kind, io::IoStatus::Done);
    text.append(as_text(ByteView(room).first(status.bytes)));
  }
  EXPECT_EQ(text, "early");
  EXPECT_EQ((**stream)->try_read(room).kind, io::IoStatus::End);
  EXPECT_EQ(way.counts().opened, 1u);
  EXPECT_EQ(way.counts().failed, 0u);
}

TEST_F(WayOutTest, SaysWhyNot) {
  for (const auto& [said, why] :
       {std::pair("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "(407)"),
        std::pair("HTTP/1.1 403 Forbidden\r\n\r\n", "refuses (403)"), std::pair("SSH-2.0-x\r\n\r\n", "its answer"),
        std::pair("", "closed without"), std::pair("HTTP/1.1 200 OK\r\nX: ", "closed without")}) {
    WayOut way = make();
    asked.clear();
    answer(said);
    connect(way);
    ASSERT_TRUE(stream && !*stream) << said;
    EXPECT_NE(stream->error().message.find("the proxy 10.0.0.9:3128"), std::string::npos) << stream->error().message;
    EXPECT_NE(stream->error().message.find(why), std::string::npos) << stream->error().message;
    EXPECT_EQ(asked.find("Authorization"), std::string::npos);
    EXPECT_EQ(way.counts().failed, 1u);
    EXPECT_NE(way.counts().problem.find(why), std::string::npos);
    listener.reset();
  }
}

TEST_F(WayOutTest, ThisMachineAndTheListAreDirect) {
  const WayOut way = make();
  EXPECT_TRUE(way.leads_to("api.github.com", 443));
  for (const char* host :
       {"localhost", "a.localhost", "127.0.0.1", "127.8.8.8", "[::1]", "x.direct.test", "direct.test"})
    EXPECT_FALSE(way.leads_to(host, 443)) << host;
}

}  // namespace
}  // namespace ghmesh::proxy
