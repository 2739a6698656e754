// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "crypto/random.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"
#include "libp2p/tls/certificate.hpp"
#include "libp2p/tls/tls_security.hpp"

namespace ghmesh::libp2p::tls {
namespace {

const WallTime kNow = ManualClock().wall_now();

TEST(TlsCertificate, TheSpecificationsVectors) {
  std::ifstream in(std::string(GHMESH_SOURCE_DIR) + "/tests/vectors/libp2p/tls_certificates.csv");
  int good = 0, bad = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t comma = line.find(',');
    const std::string id = line.substr(0, comma);
    const Bytes der = *from_hex(line.substr(comma + 1));
    const auto key = verify_certificate(der, kNow, AcceptKeys::all());
    if (id.empty()) {
      ++bad;
      ASSERT_FALSE(key);
      EXPECT_EQ(key.error().code, ErrorCode::Authentic);
      continue;
    }
    ++good;
    ASSERT_TRUE(key) << id << key.error().message;
    EXPECT_EQ(PeerId::from_key(*key).text(), id);
    if (key->type() != KeyType::Ed25519) EXPECT_EQ(verify_certificate(der, kNow, {}).error().code, ErrorCode::Refused);
  }
  EXPECT_EQ(good, 3);
  EXPECT_EQ(bad, 1);
}

TEST(TlsCertificate, OwnOnesHoldAndEveryFlippedBitIsNoticed) {
  crypto::SecureRandom random;
  const PrivateKey key = PrivateKey::generate(random);
  const Certificate certificate = *make_certificate(key, kNow);
  const auto verified = verify_certificate(certificate.der, kNow, {});
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(*verified, key.public_key());
  for (std::size_t at = 0; at < certificate.der.size(); ++at) {
    Bytes altered = certificate.der;
    altered[at] ^= 1;
    const auto result = verify_certificate(altered, kNow, {});
    EXPECT_FALSE(result) << at;
  }
  EXPECT_FALSE(verify_certificate({}, kNow, {}));
  EXPECT_EQ(verify_certificate(certificate.der, kNow - 2h, {}).error().code, ErrorCode::Refused);
  EXPECT_EQ(verify_certificate(certificate.der, kNow + 24h * 366 * 101, {}).error().code, ErrorCode::Refused);
}

struct Side {
  explicit Side(const Clock& clock, std::vector<std::string> muxers)
      : security(*TlsSecurity::make(key, std::move(muxers), clock)) {}
  crypto::SecureRandom random;
  PrivateKey key = PrivateKey::generate(random);
  PeerId id = PeerId::from_key(key.public_key());
  std::unique_ptr<TlsSecurity> security;
  std::optional<Result<SecuredStream>> result;
};

void shake(io::ManualLoop& loop, Side& a, Side& b, std::optional<PeerId> expected) {
  io::TaskGroup tasks(loop);
  auto [left, right] = io::make_pipe(loop);
  const auto run = [](Side& s, std::unique_ptr<io::Stream> stream, Direction d,
                      std::optional<PeerId> e) -> io::Task<void> {
    s.result.emplace(co_await s.security->secure(std::move(stream), d, e));
  };
  tasks.spawn(run(a, std::move(left), Direction::Outbound, expected));
  tasks.spawn(run(b, std::move(right), Direction::Inbound, {}));
  loop.run_until_idle();
}

TEST(TlsSecurity, BothSidesKnowEachOtherAndTheMuxer) {
  for (const bool early : {true, false}) {
    io::ManualLoop loop;
    Side a(loop.clock(), {"/yamux/1.0.0"});
    Side b(loop.clock(), early ? std::vector<std::string>{"/yamux/1.0.0"} : std::vector<std::string>{});
    shake(loop, a, b, b.id);
    ASSERT_TRUE(a.result && *a.result) << a.result->error().message;
    ASSERT_TRUE(b.result && *b.result) << b.result->error().message;
    EXPECT_EQ((*a.result)->remote_peer, b.id);
    EXPECT_EQ((*b.result)->remote_peer, a.id);
    EXPECT_EQ((*a.result)->muxer.has_value(), early);
    EXPECT_EQ((*a.result)->channel_binding, (*b.result)->channel_binding);
    Bytes text = to_bytes("over tls");
    const iovec part{text.data(), text.size()};
    EXPECT_EQ((*a.result)->stream->try_write({&part, 1}).bytes, text.size());
    Bytes got(8);
    EXPECT_EQ((*b.result)->stream->try_read(got).bytes, 8u);
    EXPECT_EQ(got, text);
  }
}

TEST(TlsSecurity, AnotherPeerThanTheOneDialledIsRefused) {
  io::ManualLoop loop;
  Side a(loop.clock(), {"/yamux/1.0.0"});
  Side b(loop.clock(), {"/yamux/1.0.0"});
  shake(loop, a, b, a.id);
  ASSERT_TRUE(a.result);
  ASSERT_FALSE(*a.result);
  EXPECT_EQ(a.result->error().code, ErrorCode::Refused);
}

}  // namespace
}  // namespace ghmesh::libp2p::tls
