// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/handshake.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "crypto/random.hpp"

namespace ghmesh::libp2p::noise {
namespace {

struct Vector {
  std::map<std::string, Bytes> fields;
  std::vector<std::pair<Bytes, Bytes>> messages;

  crypto::X25519KeyPair key(const std::string& name) const {
    crypto::SecretKey32 secret;
    std::ranges::copy(fields.at(name), secret.expose_mutable().begin());
    return crypto::X25519KeyPair::from_secret(std::move(secret));
  }
};

Vector load(const std::string& name) {
  std::ifstream in(std::string(GHMESH_SOURCE_DIR) + "/tests/vectors/noise/" + name);
  EXPECT_TRUE(in.good()) << name;
  Vector vector;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string field, first, second;
    words >> field >> first >> second;
    if (field == "message") {
      vector.messages.emplace_back(from_hex(first).value(), from_hex(second).value());
    } else {
      vector.fields[field] = from_hex(first).value();
    }
  }
  return vector;
}

// Sealed frames of the transport are the messages of the vectors behind two bytes of length.
void check_transport_message(Transport& from, Transport& to, const Bytes& payload, const Bytes& ciphertext) {
  Bytes frame;
  from.sealer.append(frame, payload);
  ASSERT_TRUE(equal(ByteView(frame).subspan(kFrameHeader), ciphertext));
  const auto opened = to.opener.open(frame);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(equal(*opened, payload));
}

void run(const std::string& name, std::size_t messages) {
  const Vector vector = load(name);
  ASSERT_EQ(vector.messages.size(), messages);
  Handshake initiator(Role::Initiator, vector.key("init_static"), vector.key("init_ephemeral"),
                      vector.fields.at("init_prologue"));
  Handshake responder(Role::Responder, vector.key("resp_static"), vector.key("resp_ephemeral"),
                      vector.fields.at("resp_prologue"));
  for (std::size_t i = 0; i < 3; ++i) {
    Handshake& writer = i % 2 == 0 ? initiator : responder;
    Handshake& reader = i % 2 == 0 ? responder : initiator;
    ASSERT_TRUE(writer.my_turn() && !reader.my_turn());
    Bytes message;
    ASSERT_TRUE(writer.write(vector.messages[i].first, message));
    EXPECT_EQ(to_hex(message), to_hex(vector.messages[i].second)) << i;
    const auto payload = reader.read(message);
    ASSERT_TRUE(payload) << payload.error().message;
    EXPECT_EQ(*payload, vector.messages[i].first);
  }
  ASSERT_TRUE(initiator.finished() && responder.finished());
  EXPECT_EQ(initiator.remote_static(), vector.key("resp_static").public_key);
  EXPECT_EQ(responder.remote_static(), vector.key("init_static").public_key);
  Transport i = std::move(initiator).split();
  Transport r = std::move(responder).split();
  EXPECT_EQ(i.handshake_hash, r.handshake_hash);
  if (vector.fields.contains("handshake_hash"))
    EXPECT_TRUE(equal(i.handshake_hash, vector.fields.at("handshake_hash")));
  for (std::size_t n = 3; n < messages; ++n) {
    const auto& [payload, ciphertext] = vector.messages[n];
    check_transport_message(n % 2 == 0 ? i : r, n % 2 == 0 ? r : i, payload, ciphertext);
  }
}

TEST(Handshake, CacophonyVector) { run("cacophony.txt", 6); }
TEST(Handshake, SnowVector) { run("snow.txt", 5); }

class Pair : public testing::Test {
 protected:
  crypto::SecureRandom random_;
  Handshake initiator_{Role::Initiator, crypto::X25519KeyPair::generate(random_),
                       crypto::X25519KeyPair::generate(random_)};
  Handshake responder_{Role::Responder, crypto::X25519KeyPair::generate(random_),
                       crypto::X25519KeyPair::generate(random_)};

  Bytes write(Handshake& from) {
    Bytes out;
    EXPECT_TRUE(from.write(as_bytes("payload"), out));
    return out;
  }
};

TEST_F(Pair, EphemeralKeysOfLowOrderAreRefused) {
  for (const std::uint8_t low : {0, 1}) {
    Handshake responder(Role::Responder, crypto::X25519KeyPair::generate(random_),
                        crypto::X25519KeyPair::generate(random_));
    Bytes first(32);
    first[0] = low;
    ASSERT_TRUE(responder.read(first));
    Bytes out;
    EXPECT_EQ(responder.write({}, out).error().code, ErrorCode::Authentic);
    EXPECT_FALSE(responder.my_turn());
  }
}

TEST_F(Pair, EveryFlippedBitOfTheSecondMessageIsSeen) {
  ASSERT_TRUE(responder_.read(write(initiator_)));
  const Bytes good = write(responder_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Handshake other(Role::Initiator, crypto::X25519KeyPair::generate(random_),
                    crypto::X25519KeyPair::generate(random_));
    write(other);
    Bytes bad = good;
    bad[i] ^= 1;
    EXPECT_FALSE(other.read(bad));
    EXPECT_EQ(other.read(good).error().code, ErrorCode::Closed) << "one failure is the end";
  }
}

TEST_F(Pair, EveryTruncationIsSeen) {
  const Bytes first = write(initiator_);
  for (std::size_t size = 0; size < 32; ++size) {
    Handshake other(Role::Responder, crypto::X25519KeyPair::generate(random_),
                    crypto::X25519KeyPair::generate(random_));
    EXPECT_FALSE(other.read(ByteView(first).first(size)));
  }
  ASSERT_TRUE(responder_.read(first));
  ASSERT_TRUE(initiator_.read(write(responder_)));
  Bytes third = write(initiator_);
  third.pop_back();
  EXPECT_FALSE(responder_.read(third));
  EXPECT_FALSE(responder_.finished());
}

TEST_F(Pair, DifferentProloguesDoNotMeet) {
  Handshake other(Role::Responder, crypto::X25519KeyPair::generate(random_), crypto::X25519KeyPair::generate(random_),
                  as_bytes("prologue"));
  ASSERT_TRUE(other.read(write(initiator_)));
  EXPECT_FALSE(initiator_.read(write(other)));
}

}  // namespace
}  // namespace ghmesh::libp2p::noise
