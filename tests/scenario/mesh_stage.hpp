// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/memory_network.hpp"
#include "mesh/link/link.hpp"
#include "proxy/shared_head.hpp"
#include "proxy/sharing.hpp"
#include "stage.hpp"

// A stage with several nodes of one mesh: real handshakes, real sealing, the real request path, GitHub as the stand-in
// plays it, and a clock that only the test moves.

namespace ghmesh::scenario {

using mesh::FindResult;
using multiformats::Multiaddr;

inline mesh::MeshKeys keys(std::uint8_t secret = 1) { return mesh::MeshKeys::derive(Bytes(32, secret)); }

class MeshStage : public Stage {
 protected:
  struct Member {
    io::IpAddress address;
    std::unique_ptr<io::Network> network;
    std::unique_ptr<libp2p::Host> host;
    std::unique_ptr<mesh::Link> link;
    std::unique_ptr<proxy::Sharing> sharing;
    Node* node = nullptr;  // null: a member that only speaks the protocol
  };

  ~MeshStage() override {
    // Requests that a test left behind hold searches in the mesh.
    tasks = std::make_unique<io::TaskGroup>(loop);
  }

  Member& speaker() {
    auto member = std::make_unique<Member>();
    const auto n = static_cast<std::uint8_t>(members_.size() + 1);
    member->address = io::IpAddress::v4(10, 0, 0, n);
    member->network = net.host(member->address);
    libp2p::HostOptions options{.key = libp2p::PrivateKey::generate(random)};
    member->host = std::make_unique<libp2p::Host>(*member->network, random, std::move(options));
    EXPECT_TRUE(member->host->swarm().listen(*Multiaddr::parse("/ip4/10.0.0." + std::to_string(n) + "/tcp/4001")));
    Member* raw = member.get();
    mesh::LinkOptions link{.keys = {.current = keys(), .also_accept = std::nullopt}};
    if (!members_.empty()) link.contacts = {members_[0]->host->addresses()[0]};
    link.find_item = [raw](const mesh::LookupKey& key, const mesh::Version& version) {
      return raw->sharing ? raw->sharing->find_item(key, version) : nullptr;
    };
    member->link = std::make_unique<mesh::Link>(*member->host, random, std::move(link));
    member->link->start();
    members_.push_back(std::move(member));
    return *members_.back();
  }

  Member& join(NodeOptions options = quick(github::FreshnessPolicy::GitHub), bool public_only = false) {
    Member& member = speaker();
    options.mesh = [&](proxy::Planner& planner) {
      member.sharing = std::make_unique<proxy::Sharing>(loop, *member.link, planner,
                                                        proxy::SharingOptions{keys().lookup.clone(), public_only});
      return member.sharing.get();
    };
    member.node = &node(options);
    member.link->on_invalidated([&member](const mesh::Invalidated& stale) {
      if (!stale.drop) member.node->proxy->invalidate(stale.groups);
    });
    return member;
  }

  // Long enough for everybody to know everybody and own its part.
  void settle() { loop.advance(12s); }

  template <typename T>
  T run(io::Task<T> task) {
    std::optional<T> out;
    tasks->spawn([](io::Task<T> t, std::optional<T>& o) -> io::Task<> { o.emplace(co_await std::move(t)); }(
                                                            std::move(task), out));
    EXPECT_TRUE(loop.run_until([&] { return out.has_value(); }, 60s));
    return std::move(*out);
  }

  store::Key shared_key(const Member& member, const std::string& target, const std::string& token) {
    return member.node->planner->shared_key(member.node->plan({"GET", target, token}));
  }

  // What a liar brings into the mesh under that name: bytes of its own with every mark of a good answer.
  void lie(Member& liar, const store::Key& key, std::string_view bytes, const mesh::Freshness& fresh,
           const http::Fields& fields = {{"Content-Type", "application/json; charset=utf-8"},
                                         {"Cache-Control", "private, max-age=60"}}) {
    const FindResult found = run(liar.link->find(key, mesh::TokenTag{9}, {}));
    auto item = std::make_shared<mesh::Item>();
    item->key = key;
    item->metadata = proxy::encode_shared_head(fields, true);
    item->body = to_bytes(bytes);
    item->version = mesh::version_of(item->metadata, item->body);
    if (found.kind == FindResult::Kind::Fresh) return;
    liar.link->put(found.find, item, fresh);
    loop.advance(50ms);
  }

  static mesh::Freshness claim(const mesh::TokenTag& tag, WallTime now) {
    mesh::Freshness fresh;
    fresh.tag = tag;
    fresh.fetched_at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    fresh.fresh_ms = fresh.left_ms = 60'000;
    fresh.seal.fill(0x5a);
    return fresh;
  }
  static void answer_with(standin::Response& response, std::string body) {
    for (const char* name : {"Content-Encoding", "Content-Length", "ETag"}) response.fields.remove(name);
    response.body = std::move(body);
  }
  static mesh::TokenTag tag_of(const std::string& authorization) {
    return mesh::TokenSealer(keys().lookup, as_bytes(authorization)).tag();
  }

  io::MemoryNetwork net{loop};
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace ghmesh::scenario
