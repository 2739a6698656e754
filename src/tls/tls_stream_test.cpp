// SPDX-License-Identifier: Apache-2.0
#include "tls/tls_stream.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/stream_conformance.hpp"
#include "io/task_group.hpp"
#include "tls/certificate.hpp"

namespace ghmesh::tls {
namespace {

class Tls : public testing::Test {
 protected:
  // Certificates are checked against the machine's clock by OpenSSL.
  Tls() {
    authority_ = make_authority({.permitted_dns = {"api.example.test"}, .permitted_ip = {"127.0.0.1"}}, now_);
    GHMESH_CHECK(authority_.has_value());
    roots_ =
        (std::filesystem::temp_directory_path() / ("ghmesh-tls-test-" + std::to_string(::getpid()) + ".pem")).string();
    std::ofstream(roots_) << authority_->certificate_pem;
  }
  ~Tls() override { std::filesystem::remove(roots_); }

  std::shared_ptr<const ServerContext> server(const std::vector<std::string>& names, Duration lifetime = 1h) {
    auto leaf = make_leaf(*authority_, names, lifetime, now_);
    GHMESH_CHECK(leaf.has_value());
    auto context = ServerContext::make({leaf->certificate_pem, &leaf->private_key_pem, {"h2", "http/1.1"}});
    GHMESH_CHECK(context.has_value());
    return *context;
  }
  std::shared_ptr<const ClientContext> client(bool trust = true) {
    auto context =
        ClientContext::make({.system_roots = false, .extra_roots_file = trust ? roots_ : "", .alpn = {"http/1.1"}});
    GHMESH_CHECK(context.has_value());
    return *context;
  }

  struct Pair {
    std::optional<Result<Connection>> client;
    std::optional<Result<Connection>> server;
  };
  Pair handshake(std::shared_ptr<const ServerContext> s, std::shared_ptr<const ClientContext> c,
                 const std::string& host, io::PipeOptions options = {}) {
    auto [near_end, far_end] = io::make_pipe(loop_, options);
    Pair out;
    io::TaskGroup group(loop_);
    auto deliver = [](io::Task<Result<Connection>> task, std::optional<Result<Connection>>& to) -> io::Task<> {
      to = co_await std::move(task);
    };
    group.spawn(deliver(connect(std::move(near_end), c, host), out.client));
    group.spawn(deliver(accept(std::move(far_end), s), out.server));
    loop_.run_until([&] { return out.client && out.server; });
    return out;
  }

  WallTime now_ = std::chrono::system_clock::now();
  io::ManualLoop loop_;
  Result<Identity> authority_ = fail(ErrorCode::Internal, "");
  std::string roots_;
};

TEST_F(Tls, ConformsAsAStream) {
  const auto s = server({"api.example.test"});
  const auto c = client();
  for (const io::PipeOptions options : {io::PipeOptions{}, io::PipeOptions{.capacity = 4096, .chunk = 100}}) {
    io::run_stream_conformance({[&] {
                                  Pair pair = handshake(s, c, "api.example.test", options);
                                  return std::pair(std::move((*pair.client)->stream),
                                                   std::move((*pair.server)->stream));
                                },
                                [&](const std::function<bool()>& done) { return loop_.run_until(done); }});
  }
}

TEST_F(Tls, AgreesOnAProtocolAndShowsTheCertificate) {
  Pair pair = handshake(server({"127.0.0.1"}), client(), "127.0.0.1");
  ASSERT_TRUE(pair.client && *pair.client) << pair.client->error().message;
  EXPECT_EQ((*pair.client)->alpn, "http/1.1");
  EXPECT_EQ((*pair.server)->alpn, "http/1.1");
  EXPECT_FALSE((*pair.client)->peer_certificate.empty());
}

TEST_F(Tls, RefusesWhatItCannotVerify) {
  const auto refused = [&](Pair pair) {
    if (!pair.client || *pair.client) return std::string("accepted");
    return pair.client->error().message;
  };
  EXPECT_NE(
      refused(handshake(server({"api.example.test"}), client(false), "api.example.test")).find("certificate refused"),
      std::string::npos);
  EXPECT_NE(refused(handshake(server({"api.example.test"}), client(), "other.example.test")).find("hostname mismatch"),
            std::string::npos);
  // The authority may sign for its own names only: name constraints make a leaf for another name worthless.
  EXPECT_NE(refused(handshake(server({"evil.test"}), client(), "evil.test")).find("permitted subtree violation"),
            std::string::npos);
  EXPECT_NE(refused(handshake(server({"127.0.0.2"}), client(), "127.0.0.2")).find("permitted subtree violation"),
            std::string::npos);
  now_ -= 48h;
  EXPECT_NE(refused(handshake(server({"api.example.test"}), client(), "api.example.test")).find("expired"),
            std::string::npos);
}

TEST_F(Tls, ACutWithoutFarewellIsNoCleanEnd) {
  auto [near_end, far_end] = io::make_pipe(loop_);
  io::Stream* lower = far_end.get();
  std::optional<Result<Connection>> c, s;
  io::TaskGroup group(loop_);
  auto deliver = [](io::Task<Result<Connection>> task, std::optional<Result<Connection>>& to) -> io::Task<> {
    to = co_await std::move(task);
  };
  group.spawn(deliver(connect(std::move(near_end), client(), "api.example.test"), c));
  group.spawn(deliver(accept(std::move(far_end), server({"api.example.test"})), s));
  ASSERT_TRUE(loop_.run_until([&] { return c && s; }));
  lower->shutdown_write();
  std::optional<Result<>> done;
  Bytes into;
  group.spawn(io::conformance::receive_all(*(*c)->stream, into, done));
  ASSERT_TRUE(loop_.run_until([&] { return done.has_value(); }));
  ASSERT_FALSE(*done);
  EXPECT_EQ(done->error().code, ErrorCode::Closed);
}

TEST(TlsContext, NamesTheFileThatHoldsNoCertificate) {
  const auto made = ClientContext::make({.extra_roots_file = "/dev/null"});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("/dev/null"), std::string::npos);
}

}  // namespace
}  // namespace ghmesh::tls
