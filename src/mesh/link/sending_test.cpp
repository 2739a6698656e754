// SPDX-License-Identifier: Apache-2.0
#include "sending.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"

namespace ghmesh::mesh {
namespace {

// Two ends of one connection, without the connection.
struct Ends {
  explicit Ends(LinkLimits l = {}) : limits(l), sending(limits) {
    crypto::SecretKey32 root;
    near_end = std::make_unique<EnvelopePair>(make_envelopes(root, as_bytes("one"), as_bytes("a"), as_bytes("b")));
    far_end = std::make_unique<EnvelopePair>(make_envelopes(root, as_bytes("one"), as_bytes("b"), as_bytes("a")));
  }
  // One turn of the writer, and what its reader makes of it.
  std::vector<std::string> turn() {
    Bytes out;
    sending.fill(codec, near_end->sealer, out);
    sizes.push_back(out.size());
    far_end->opener.feed(out);
    std::vector<std::string> types;
    while (true) {
      const auto frame = far_end->opener.next();
      EXPECT_TRUE(frame);
      if (!frame || !*frame) return types;
      const auto whole = receiving.take(**frame);
      EXPECT_TRUE(whole);
      if (!whole || !*whole) continue;
      auto message = codec.decode(**whole);
      EXPECT_TRUE(message);
      types.emplace_back(type_name(*message));
      last = std::move(*message);
    }
  }
  Put put_of(std::size_t size) {
    auto item = std::make_shared<Item>();
    item->body.resize(size);
    random.fill(item->body);
    item->version = version_of(item->metadata, item->body);
    return Put{.lease = 1, .item = std::move(item), .base = {}, .fresh = {}};
  }

  crypto::SecureRandom random;
  LinkLimits limits;
  Codec codec;
  Sending sending;
  Receiving receiving;
  std::unique_ptr<EnvelopePair> near_end, far_end;
  std::vector<std::size_t> sizes;
  Message last;
};

using Types = std::vector<std::string>;

TEST(Sending, AQuestionGoesBetweenThePartsOfABody) {
  Ends ends;
  const Put put = ends.put_of(1u << 20);
  ASSERT_TRUE(ends.sending.push(put));
  EXPECT_EQ(ends.turn(), Types{});
  ASSERT_TRUE(ends.sending.push(Ask{.id = 7}));
  EXPECT_EQ(ends.turn(), Types{"ask"});
  Types types;
  while (!ends.sending.empty())
    for (std::string& type : ends.turn()) types.push_back(std::move(type));
  EXPECT_EQ(types, Types{"put"});
  EXPECT_EQ(std::get<Put>(ends.last).item->body, put.item->body);
  for (const std::size_t size : ends.sizes) EXPECT_LE(size, ends.limits.part_bytes + 1024);
}

TEST(Sending, EachKindKeepsItsOrder) {
  Ends ends;
  // The end of a copy is short, and stays behind its other pieces.
  Chunk first{.id = 3, .partition = 1, .last = false};
  first.entries.push_back({.item = ends.put_of(40'000).item, .freshnesses = {}});
  ASSERT_TRUE(ends.sending.push(std::move(first)));
  ASSERT_TRUE(ends.sending.push(Chunk{.id = 3, .partition = 1, .last = true}));
  ASSERT_TRUE(ends.sending.push(ends.put_of(5000)));
  ASSERT_TRUE(ends.sending.push(Ask{.id = 1}));
  ASSERT_TRUE(ends.sending.push(Wait{.id = 1}));
  Types types;
  while (!ends.sending.empty())
    for (std::string& type : ends.turn()) types.push_back(std::move(type));
  EXPECT_EQ(types, (Types{"ask", "wait", "chunk", "chunk", "put"}));
}

TEST(Sending, ManyBodiesShareAPart) {
  Ends ends;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ends.sending.push(ends.put_of(5000)));
  EXPECT_EQ(ends.turn(), (Types{"put", "put", "put"}));
  EXPECT_EQ(ends.turn(), Types{"put"});
  EXPECT_TRUE(ends.sending.empty());
}

TEST(Sending, IsBoundedInMessagesAndBytes) {
  Ends few({.queued_messages = 2});
  EXPECT_TRUE(few.sending.push(Ask{}));
  EXPECT_TRUE(few.sending.push(Ask{}));
  EXPECT_FALSE(few.sending.push(Ask{}));
  Ends small({.queued_bytes = 100'000});
  EXPECT_TRUE(small.sending.push(small.put_of(200'000))) << "a single one above the bound goes alone";
  EXPECT_FALSE(small.sending.push(Ask{}));
  small.turn();
  EXPECT_FALSE(small.sending.push(Ask{})) << "encoded it is as long";
  while (!small.sending.empty()) small.turn();
  EXPECT_TRUE(small.sending.push(Ask{}));
}

TEST(Receiving, RefusesPartsThatMakeNoMessage) {
  Receiving receiving;
  const Bytes octets(1u << 20);
  EXPECT_EQ(receiving.take({.request = 3, .plain = octets}).error().code, ErrorCode::Malformed);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(receiving.take({.request = 1, .plain = octets}));
  EXPECT_EQ(receiving.take({.request = 2, .plain = octets}).error().code, ErrorCode::Limit);
}

}  // namespace
}  // namespace ghmesh::mesh
