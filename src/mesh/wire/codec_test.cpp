// SPDX-License-Identifier: Apache-2.0
#include "mesh/wire/codec.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace ghmesh::mesh {
namespace {

PeerId peer(std::uint8_t n) { return *PeerId::decode(std::array<std::uint8_t, 6>{0, 4, 1, 2, 3, n}); }

std::string json(int n) {
  std::string text = "[";
  for (int i = 0; i < n; ++i)
    text += std::string(i == 0 ? "" : ",") + R"({"id":)" + std::to_string(1000 + i * 7919) +
            R"(,"node_id":"MDU6SXNzdWU)" + std::to_string(i * 31) +
            R"(","url":"https://api.github.com/repos/octokit/hello-world/issues/)" + std::to_string(i) +
            R"(","state":"open","user":{"login":"octocat","site_admin":false},"labels":[]})";
  return text + "]";
}

ItemPtr item(std::string_view body, std::uint8_t key = 9) {
  auto made = std::make_shared<Item>();
  made->key.fill(key);
  made->groups = {1, 2};
  made->metadata = to_bytes("content-type: application/json");
  made->body = to_bytes(body);
  made->version = version_of(made->metadata, made->body);
  made->publisher = peer(9);
  return made;
}

Freshness fresh() {
  Freshness f;
  f.tag.fill(3);
  f.fetched_at_ms = 1767225600000;
  f.fresh_ms = 60000;
  f.left_ms = 59000;
  f.seal.fill(4);
  return f;
}

std::vector<Message> one_of_each() {
  LookupKey key{};
  key.fill(9);
  Version version{};
  version.fill(8);
  const MemberUpdate update{.peer = peer(2),
                            .incarnation = 300,
                            .state = MemberState::Suspect,
                            .reachable = true,
                            .stable = false,
                            .draining = true,
                            .age_ms = 12345,
                            .addresses = {Bytes{4, 127, 0, 0, 1}}};
  const CounterRow row{
      .peer = peer(3), .started_ms = 1767225600000, .sequence = 5, .gone_ms = 61000, .values = {1, 300, 70000}};
  const RateRow rate{.peer = peer(4),
                     .resource = 1,
                     .limit = 5000,
                     .remaining = 4000,
                     .used = 1000,
                     .reset = 1767225600,
                     .age_ms = 1500,
                     .spent = 70};
  return {
      Ask{.id = 1, .key = key, .tag = fresh().tag, .have = version, .hop = 1, .origin = peer(1)},
      Same{.id = 1, .version = version, .fresh = fresh(), .candidate = true},
      Body{.id = 1, .item = item(json(5)), .fresh = fresh()},
      Wait{.id = 1, .next_ms = 140, .what = Wait::For::Turn},
      Lease{.id = 1, .lease = 2, .deadline_ms = 600, .stale = version, .item = item("{}"), .shadow = peer(4)},
      Lease{.id = 1, .lease = 2, .deadline_ms = 600},
      Pass{.id = 1, .for_ms = 15000},
      Try{.id = 1, .peer = peer(5)},
      Put{.lease = 2, .item = item(json(3)), .fresh = fresh()},
      Renew{.lease = 2, .key = key, .version = version, .fresh = fresh()},
      Release{.lease = 2, .key = key, .outcome = ReleaseOutcome::Negative},
      Hold{.lease = 2, .key = key, .next_ms = 250, .queued = true},
      Shadow{.lease = 2, .key = key, .ask = 7, .holder = peer(6), .deadline_ms = 600},
      Peek{.id = 3, .key = key, .have = version},
      Found{.id = 3, .key = key, .version = version, .item = item("[]"), .freshnesses = {fresh(), fresh()}},
      WhoHas{.id = 4, .key = key},
      Have{.id = 4, .key = key, .version = version, .age_ms = 5},
      Pull{.id = 5, .partition = 63, .have = {{1, 2}, {3, 4}}},
      Chunk{.id = 5,
            .partition = 63,
            .last = false,
            .entries = {{item("{}"), {fresh()}}, {item("[1]"), {}}},
            .ledger = {key}},
      Ledger{.keys = {key, key}},
      Invalidate{.id = 6, .groups = {7, 8}},
      Invalidate{.id = 7, .groups = {}, .drop = true},
      Ack{.id = 6},
      Pause{.bucket = fresh().tag, .for_ms = 30000},
      Ping{.sequence = 1, .digest = 2, .updates = {update}, .counters = {row}},
      Pong{.sequence = 1, .digest = 2, .updates = {update, update}},
      PingRequest{.sequence = 1, .target = peer(7)},
      News{.updates = {update}},
      Sync{.known = {{5, 6}}, .answer = true},
      Draw{.bucket = fresh().tag,
           .sent = 700,
           .sent_writes = 3,
           .recent = 20,
           .recent_writes = 1,
           .drawing = 3,
           .in_flight = 2,
           .waiting = 5,
           .waiting_writes = 1,
           .heard = 11,
           .rates = {rate}},
      Drawn{.bucket = fresh().tag,
            .may_send = 705,
            .may_write = 4,
            .drawing = 3,
            .since = 9,
            .until = 11,
            .rates = {rate, rate}},
  };
}

TEST(Codec, EveryMessageComesBackAsItWent) {
  Codec codec;
  for (const Message& message : one_of_each()) {
    const Bytes bytes = codec.encode(message);
    const auto back = codec.decode(bytes);
    ASSERT_TRUE(back) << type_name(message) << ": " << back.error().message;
    EXPECT_EQ(back->index(), message.index());
    EXPECT_EQ(codec.encode(*back), bytes) << type_name(message);
  }
  const auto body = std::get<Body>(*codec.decode(codec.encode(one_of_each()[2])));
  EXPECT_EQ(body.item->body, item(json(5))->body);
  EXPECT_EQ(body.item->version, item(json(5))->version);
  EXPECT_EQ(body.fresh.left_ms, 59000u);
}

TEST(Codec, WhatAnOwnerHandsOnIsNotCompressedAgain) {
  Codec fetcher, owner;
  const auto sent = item(json(200));
  EXPECT_FALSE(sent->packed);
  const Bytes put = fetcher.encode(Put{.lease = 1, .item = sent, .base = {}, .fresh = fresh()});
  ASSERT_TRUE(sent->packed);
  const ItemPtr held = std::get<Put>(*owner.decode(put)).item;
  ASSERT_TRUE(held->packed);
  EXPECT_EQ(*held->packed, *sent->packed);
  EXPECT_LT(held->packed->size() * 4, held->body.size());
  EXPECT_EQ(std::get<Put>(*fetcher.decode(owner.encode(Put{.lease = 2, .item = held, .base = {}, .fresh = fresh()})))
                .item->body,
            sent->body);
  // What compresses badly is known to, and travels as it is.
  SeededRandom random(1);
  std::string noise(3000, ' ');
  for (char& c : noise) c = static_cast<char>(random.next_u64());
  const auto stubborn = item(noise);
  const Bytes plain = fetcher.encode(Put{.lease = 3, .item = stubborn, .base = {}, .fresh = fresh()});
  EXPECT_EQ(stubborn->packed, Bytes());
  const ItemPtr read = std::get<Put>(*owner.decode(plain)).item;
  EXPECT_EQ(read->packed, Bytes());
  EXPECT_EQ(read->body, stubborn->body);
}

TEST(Codec, TheMeasureIsTheLength) {
  Codec codec;
  for (const Message& message : one_of_each()) {
    std::size_t bodies = 0;
    const std::size_t measured = encoded_size(message, [&](const Item& each, bool) {
      ++bodies;
      return each.body.size();
    });
    if (bodies == 0) EXPECT_EQ(measured, codec.encode(message).size()) << type_name(message);
  }
}

TEST(Codec, EveryCutIsMalformed) {
  Codec codec;
  for (const Message& message : one_of_each()) {
    const Bytes bytes = codec.encode(message);
    for (std::size_t n = 0; n < bytes.size(); ++n)
      ASSERT_FALSE(codec.decode(ByteView(bytes).first(n))) << type_name(message) << " " << n;
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(codec.decode(longer)) << type_name(message);
  }
}

TEST(Codec, NoFlippedBitBreaksTheReader) {
  Codec codec;
  for (const Message& message : one_of_each()) {
    const Bytes bytes = codec.encode(message);
    for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
      Bytes bad = bytes;
      bad[i / 8] = static_cast<std::uint8_t>(bad[i / 8] ^ (1u << (i % 8)));
      const auto back = codec.decode(bad);
      if (back) static_cast<void>(codec.encode(*back));
    }
  }
}

TEST(Codec, AJsonBodyTravelsAtATenthOfItsSize) {
  Codec codec;
  const ItemPtr big = item(json(60));
  EXPECT_LT(codec.encode(Body{.id = 1, .item = big, .fresh = fresh()}).size(), big->body.size() / 8);
  // Small ones gain most from the dictionary.
  const ItemPtr small = item(
      R"({"login":"octocat","id":583231,"node_id":"MDQ6VXNlcjU4MzIzMQ==","avatar_url":"https://avatars.githubusercontent.com/u/583231?v=4","gravatar_id":"","url":"https://api.github.com/users/octocat","html_url":"https://github.com/octocat","followers_url":"https://api.github.com/users/octocat/followers","following_url":"https://api.github.com/users/octocat/following{/other_user}"})");
  EXPECT_LT(codec.encode(Body{.id = 1, .item = small, .fresh = fresh()}).size(), 108 + small->body.size() / 2);
}

TEST(Codec, ADeltaIsTinyAndNeedsItsBase) {
  const ItemPtr old_one = item(json(60));
  std::string changed = json(60);
  changed.replace(changed.find("\"open\""), 6, "\"shut\"");
  const ItemPtr new_one = item(changed);
  const FindItem holds = [&](const LookupKey&, const Version& version) -> ItemPtr {
    return version == old_one->version ? old_one : nullptr;
  };
  Codec with(holds), without;
  const Body body{.id = 1, .item = new_one, .base = old_one->version, .fresh = fresh()};
  const Bytes delta = with.encode(body);
  EXPECT_LT(delta.size(), 240u);
  const auto back = with.decode(delta);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(std::get<Body>(*back).item->body, new_one->body);
  EXPECT_EQ(without.decode(delta).error().code, ErrorCode::NotFound);
  // An encoder that no longer holds the base sends the whole.
  EXPECT_TRUE(without.decode(without.encode(body)));
}

TEST(Codec, BoundsHold) {
  Codec codec;
  Bytes huge = codec.encode(Invalidate{.id = 1, .groups = std::vector<GroupId>(WireLimits::kInvalidatedGroups, 5)});
  EXPECT_TRUE(codec.decode(huge));
  huge[9] = WireLimits::kInvalidatedGroups + 1;
  append(huge, Bytes(8));
  EXPECT_FALSE(codec.decode(huge)) << "one more than the bound";
  EXPECT_FALSE(codec.decode(Bytes{200}));
  EXPECT_FALSE(codec.decode({}));
  // A body that says 4 MiB and more.
  Bytes body = codec.encode(Put{.lease = 1, .item = item(std::string(5, 'x')), .fresh = fresh()});
  EXPECT_TRUE(codec.decode(body));
  Pause pause{.bucket = {}, .for_ms = 0};
  Bytes until_2099 = codec.encode(pause);
  store_be<std::uint32_t>(until_2099.data() + until_2099.size() - 4, 0xffffffff);
  EXPECT_FALSE(codec.decode(until_2099));
}

}  // namespace
}  // namespace ghmesh::mesh
