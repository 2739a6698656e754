// SPDX-License-Identifier: Apache-2.0
#include "mesh/discovery/contacts.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace ghmesh::mesh {
namespace {

using libp2p::PeerId;
using multiformats::Multiaddr;

constexpr TimePoint kStart{1h};
const auto kNobody = [](const PeerId&) { return false; };

PeerId peer(std::uint64_t seed) {
  SeededRandom random(seed);
  return PeerId::from_key(libp2p::PrivateKey::generate(random).public_key());
}

Multiaddr at(std::string_view ip, std::optional<PeerId> who = std::nullopt) {
  return *Multiaddr::parse("/ip4/" + std::string(ip) + "/tcp/9100" + (who ? "/p2p/" + who->text() : ""));
}

TEST(Contacts, OurselvesAreNoContact) {
  Contacts contacts(peer(1), {});
  EXPECT_EQ(contacts.hear(ContactSource::Mdns, {at("10.0.0.1", peer(1))}, kStart), 0u);
  EXPECT_TRUE(contacts.take_due(kStart, kNobody).empty());
}

TEST(Contacts, TheOperatorsListComesFirst) {
  Contacts contacts(peer(1), {.dials = 2});
  contacts.hear(ContactSource::Dns, {at("10.0.0.4")}, kStart);
  contacts.hear(ContactSource::Mdns, {at("10.0.0.3", peer(3))}, kStart);
  contacts.hear(ContactSource::Registry, {at("10.0.0.2", peer(2))}, kStart);
  contacts.hear(ContactSource::Static, {at("10.0.0.5")}, kStart);
  const auto due = contacts.take_due(kStart, kNobody);
  ASSERT_EQ(due.size(), 2u) << "no more at once";
  EXPECT_EQ(contacts.find(due[0])->source, ContactSource::Static);
  EXPECT_EQ(contacts.find(due[1])->source, ContactSource::Registry);
  EXPECT_EQ(contacts.next_due(), TimePoint::max());
}

TEST(Contacts, AMemberIsNotDialled) {
  Contacts contacts(peer(1), {});
  contacts.hear(ContactSource::Registry, {at("10.0.0.2", peer(2))}, kStart);
  EXPECT_TRUE(contacts.take_due(kStart, [](const PeerId& who) { return who == peer(2); }).empty());
  EXPECT_EQ(contacts.take_due(kStart + 31s, kNobody).size(), 1u) << "it is again once it is gone";
}

TEST(Contacts, FailuresBackOffAndNewsBringsThemBack) {
  Contacts contacts(peer(1), {});
  contacts.hear(ContactSource::Registry, {at("10.0.0.2", peer(2))}, kStart);
  TimePoint now = kStart;
  for (const Duration pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    const auto due = contacts.take_due(now, kNobody);
    ASSERT_EQ(due.size(), 1u);
    contacts.on_failed(due[0], "refused", now);
    EXPECT_EQ(contacts.next_due(), now + pause);
    now += pause;
  }
  const auto due = contacts.take_due(now, kNobody);
  contacts.on_failed(due[0], "refused", now);
  contacts.hear(ContactSource::Registry, {at("10.0.0.2", peer(2))}, now, true);
  EXPECT_EQ(contacts.next_due(), now + 1s) << "a newer record of the peer";
  // Saying so again and again does not make us dial more often than that.
  contacts.hear(ContactSource::Registry, {at("10.0.0.2", peer(2))}, now + 900ms, true);
  EXPECT_EQ(contacts.next_due(), now + 1s);
}

TEST(Contacts, WhoAnswersWithoutTheSecretIsTriedLessAndLess) {
  Contacts contacts(peer(1), {});
  contacts.hear(ContactSource::Mdns, {at("10.0.0.2", peer(2))}, kStart);
  TimePoint now = kStart;
  for (const Duration pause : {6s, 12s, 24s, 30s}) {
    const auto due = contacts.take_due(now, kNobody);
    ASSERT_EQ(due.size(), 1u);
    contacts.on_reached(due[0], peer(2), now);
    EXPECT_EQ(contacts.next_due(), now + pause);
    now += pause;
  }
}

TEST(Contacts, AnAddressWithoutAPeerIsWhoeverAnswers) {
  Contacts contacts(peer(1), {});
  contacts.hear(ContactSource::Static, {at("10.0.0.2")}, kStart);
  const auto due = contacts.take_due(kStart, kNobody);
  contacts.on_reached(due[0], peer(2), kStart);
  const auto is_second = [](const PeerId& who) { return who == peer(2); };
  EXPECT_TRUE(contacts.take_due(kStart + 7s, is_second).empty());
  // The host was replaced: the old one is gone, the address serves another.
  const auto again = contacts.take_due(kStart + 60s, kNobody);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(contacts.on_failed(again[0], "refused", kStart + 60s));
  EXPECT_FALSE(contacts.find(again[0])->peer.has_value());
}

TEST(Contacts, HearsayIsBoundedAndDoesNotPushOutTheOperatorsList) {
  Contacts contacts(peer(1), {.contacts = 10});
  contacts.hear(ContactSource::Static, {at("192.0.2.1"), at("192.0.2.2")}, kStart);
  for (int i = 0; i < 100; ++i)
    contacts.hear(ContactSource::Mdns, {at("10.0.0." + std::to_string(i), peer(100 + static_cast<unsigned>(i)))},
                  kStart + i * 1ms);
  EXPECT_EQ(contacts.size(), 10u);
  EXPECT_NE(contacts.find(at("192.0.2.1").text()), nullptr);
  EXPECT_NE(contacts.find(peer(100).text()), nullptr) << "nothing spoke against the first";
  // A signed record is worth more than a shout on the network.
  EXPECT_EQ(contacts.hear(ContactSource::Registry, {at("10.0.1.1", peer(2))}, kStart + 1s), 1u);
  EXPECT_EQ(contacts.size(), 10u);
}

TEST(Contacts, AnAddressListIsBoundedAndTheNewestStays) {
  Contacts contacts(peer(1), {.addresses = 3});
  for (int i = 0; i < 9; ++i) contacts.hear(ContactSource::Mdns, {at("10.0.0." + std::to_string(i), peer(2))}, kStart);
  const Contact* contact = contacts.find(peer(2).text());
  ASSERT_EQ(contact->addresses.size(), 3u);
  EXPECT_EQ(contact->addresses[0], at("10.0.0.8"));
  EXPECT_EQ(contact->text(), "/ip4/10.0.0.8/tcp/9100/p2p/" + peer(2).text());
}

TEST(Contacts, WhatNobodyRepeatsIsForgotten) {
  Contacts contacts(peer(1), {});
  contacts.hear(ContactSource::Static, {at("192.0.2.1")}, kStart);
  contacts.hear(ContactSource::Registry, {at("10.0.0.2", peer(2))}, kStart);
  contacts.forget_old(kStart + 29min);
  EXPECT_EQ(contacts.size(), 2u);
  contacts.forget_old(kStart + 31min);
  EXPECT_EQ(contacts.size(), 1u);
}

}  // namespace
}  // namespace ghmesh::mesh
