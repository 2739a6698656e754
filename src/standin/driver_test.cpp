// SPDX-License-Identifier: Apache-2.0
#include "standin/driver.hpp"

#include "base/bytes.hpp"
#include "io/manual_loop.hpp"
#include "io/memory_network.hpp"
#include "io/task_group.hpp"
#include "test_bench.hpp"
#include "tls/tls_stream.hpp"

namespace ghmesh::standin {
namespace {

class DriverTest : public Bench {
 protected:
  DriverTest() {
    auto started = Driver::start(*server_host, model, {});
    if (started) driver = std::move(*started);
  }

  // What comes back until the end of the connection or of all activity.
  struct Client {
    std::unique_ptr<io::Stream> stream;
    std::string got;
    bool ended = false;
    bool broken = false;
  };
  Client connect(const io::Endpoint& to) {
    Client client;
    io::TaskGroup group(loop);
    group.spawn([](io::Network& network, io::Endpoint at, Client& out) -> io::Task<> {
      auto dialled = co_await network.dial(at);
      if (dialled) out.stream = std::move(*dialled);
    }(*client_host, to, client));
    loop.advance(1s);
    return client;
  }
  void send_request(Client& client, std::string_view target, std::string_view method = "GET",
                    std::string_view body = {}) {
    std::string text(method);
    text.append(" ")
        .append(target)
        .append(" HTTP/1.1\r\nHost: api.github.com\r\nUser-Agent: t\r\nAuthorization: ")
        .append(kAlice);
    if (!body.empty()) text.append("\r\nContent-Length: ").append(std::to_string(body.size()));
    text.append("\r\n\r\n").append(body);
    const iovec part{text.data(), text.size()};
    EXPECT_EQ(client.stream->try_write({&part, 1}).bytes, text.size());
    receive(client, 100ms);
  }
  void receive(Client& client, Duration wait) {
    const TimePoint until = loop.now() + std::chrono::duration_cast<TimePoint::duration>(wait);
    while (loop.now() < until) {
      loop.advance(10ms);
      Bytes room(65536);
      for (io::IoStatus s = client.stream->try_read(room); s.kind != io::IoStatus::WouldBlock;
           s = client.stream->try_read(room)) {
        client.ended = client.ended || s.kind == io::IoStatus::End;
        client.broken = client.broken || s.kind == io::IoStatus::Failed;
        if (s.kind != io::IoStatus::Done) return;
        client.got.append(as_text(ByteView(room).first(s.bytes)));
      }
    }
  }
  bool over(const Client& client) const { return client.ended || client.broken; }
  void fault(std::string_view json) { model.faults.add(*parse_fault(json)); }

  io::ManualLoop loop;
  io::MemoryNetwork network{loop};
  std::unique_ptr<io::Network> server_host = network.host(io::IpAddress::loopback());
  std::unique_ptr<io::Network> client_host = network.host(io::IpAddress::v4(127, 0, 0, 2));
  std::unique_ptr<Driver> driver;
};

TEST_F(DriverTest, AnswersOnOneConnectionAsTheModelDoes) {
  ASSERT_TRUE(driver);
  Client client = connect(driver->addresses().http);
  ASSERT_TRUE(client.stream);
  send_request(client, kPublic);
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 200 OK\r\nServer: github.com\r\n"));
  EXPECT_TRUE(client.got.ends_with(model.world.find(kPublic)->body));
  client.got.clear();
  send_request(client, at(kPublic, "/issues/1/comments"), "POST", R"({"body":"over the wire"})");
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 201 Created\r\n"));
  EXPECT_FALSE(over(client));
  EXPECT_EQ(model.journal.entries().size(), 2u);
}

TEST_F(DriverTest, LatencyMakesRequestsOverlap) {
  driver->set_latency(500ms);
  Client one = connect(driver->addresses().http);
  Client two = connect(driver->addresses().http);
  send_request(one, kPublic);
  send_request(two, kPublic);
  EXPECT_TRUE(one.got.empty());
  receive(one, 1s);
  EXPECT_FALSE(one.got.empty());
  EXPECT_EQ(model.journal.total().most_concurrent, 2u);
}

TEST_F(DriverTest, ResetComesBeforeTheFirstOctet) {
  fault(R"({"reset":true})");
  Client client = connect(driver->addresses().http);
  send_request(client, kPublic);
  EXPECT_TRUE(over(client));
  EXPECT_TRUE(client.got.empty());
}

TEST_F(DriverTest, CutBodiesAreShorterThanPromised) {
  fault(R"({"cut_after":10})");
  Client client = connect(driver->addresses().http);
  send_request(client, kPublic);
  EXPECT_TRUE(over(client));
  EXPECT_EQ(client.got.size() - client.got.find("\r\n\r\n") - 4, 10u);
}

TEST_F(DriverTest, HangSaysNothing) {
  fault(R"({"hang":true})");
  Client client = connect(driver->addresses().http);
  send_request(client, kPublic);
  receive(client, 60s);
  EXPECT_TRUE(client.got.empty());
  EXPECT_FALSE(over(client));
}

TEST_F(DriverTest, InterimAnswersAndSlowBodies) {
  fault(R"({"informational":3,"slow_chunk":100,"slow_gap_ms":50})");
  Client client = connect(driver->addresses().http);
  send_request(client, kPublic);
  std::size_t interim = 0;
  for (std::size_t i = client.got.find("HTTP/1.1 103"); i != std::string::npos;
       i = client.got.find("HTTP/1.1 103", i + 1))
    ++interim;
  EXPECT_EQ(interim, 3u);
  EXPECT_FALSE(client.got.ends_with(model.world.find(kPublic)->body));
  receive(client, 10s);
  EXPECT_TRUE(client.got.ends_with(model.world.find(kPublic)->body));
}

TEST_F(DriverTest, SignedUrlsLeadToTheStoragePort) {
  Client api = connect(driver->addresses().http);
  send_request(api, at(kPublic, "/tarball/main"));
  const std::size_t start = api.got.find("Location: ") + 10;
  const std::string location = api.got.substr(start, api.got.find("\r\n", start) - start);
  const std::string base = "http://" + to_string(driver->addresses().storage);
  EXPECT_TRUE(location.starts_with(base + "/_blobs/")) << location;
  EXPECT_NE(driver->addresses().storage.port, driver->addresses().http.port);
}

TEST_F(DriverTest, SpeaksTlsUnderItsOwnAuthority) {
  EXPECT_NE(driver->addresses().authority_pem.find("BEGIN CERTIFICATE"), std::string::npos);
  Client client = connect(driver->addresses().https);
  ASSERT_TRUE(client.stream);
  // Nobody here trusts that authority, so the handshake gets as far as the certificate and is refused by us.
  const auto context = tls::ClientContext::make({});
  ASSERT_TRUE(context);
  std::optional<Result<tls::Connection>> outcome;
  io::TaskGroup group(loop);
  group.spawn([](std::unique_ptr<io::Stream> lower, std::shared_ptr<const tls::ClientContext> with,
                 std::optional<Result<tls::Connection>>& out) -> io::Task<> {
    out.emplace(co_await tls::connect(std::move(lower), with, "localhost"));
  }(std::move(client.stream), *context, outcome));
  loop.advance(1s);
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(*outcome);
}

}  // namespace
}  // namespace ghmesh::standin
