// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "github/proof.hpp"
#include "io/task.hpp"
#include "mesh/link/link.hpp"
#include "proxy/plan.hpp"
#include "proxy/slot.hpp"

// The request path's door to the mesh: what may leave this node, what a peer's answer is worth, and how an own result
// is told. A peer's bytes are either an answer that a holder of the same token has sealed, fresh for that token, or a
// candidate that only GitHub's 304 can make an answer (doc/formats/mesh.md). Loop thread; borrows what it is given.

namespace ghmesh::proxy {

struct SharingOptions {
  crypto::SecretKey32 lookup_key;  // MeshKeys::lookup
  bool public_only = false;        // --share public
};

class Sharing {
 public:
  Sharing(io::Loop& loop, mesh::Link& link, Planner& planner, SharingOptions options);
  ~Sharing();
  Sharing(const Sharing&) = delete;
  Sharing& operator=(const Sharing&) = delete;

  // A sealed answer to the same token.
  struct Answer {
    http::Fields fields;  // with the ETag; without Date
    Duration age{};
    bool from_here = false;  // this node brought it into the mesh itself
  };

  // What the mesh said about a resource, and the duty to tell it the result. Destroyed without a word it says that
  // nothing came of it, and somebody else may fetch.
  class Search {
   public:
    Search(Search&& other) noexcept;
    Search& operator=(Search&&) = delete;
    ~Search();

    // Fresh for this token, and sealed by a holder of it.
    const std::optional<Answer>& answer() const { return answer_; }
    // Bytes that may be offered to GitHub, or that answer() describes; null: none, or those held here already.
    const github::SharedBody& body() const { return body_; }
    // Confirmed just now, for another token: likely to be current.
    bool confirmed() const { return result_.kind == mesh::FindResult::Kind::Candidate; }
    bool from_peer() const { return from_peer_; }
    // Whoever fetched these bytes saw GitHub's tag agree with the formula.
    bool formula_held() const { return formula_held_; }

   private:
    friend class Sharing;
    explicit Search(Sharing& sharing) : sharing_(&sharing) {}
    Sharing* sharing_;
    mesh::FindResult result_;
    store::Key key_{};
    mesh::Version own_{};  // of what is held here; zeros: nothing
    Bytes own_head_;
    std::optional<Answer> answer_;
    github::SharedBody body_;
    mesh::PeerId from_ = mesh::nobody();       // who brought the bytes, as far as this node knows
    mesh::PeerId publisher_ = mesh::nobody();  // who fetched them, as it was told
    bool from_peer_ = false;
    bool formula_held_ = false;
    bool open_ = false;
  };

  // Whether answers of that plan are shared at all: by the class of the resource.
  bool takes_part(const Plan& plan, std::string_view method) const;
  // own: what is held for this token, may be empty. prefix: etag_prefix of the plan's request.
  io::Task<Search> find(const Plan& plan, const crypto::Sha256& prefix, Slot own);

  // The end of a search. publish: GitHub gave or proved what slot holds; it is told to the mesh if its bytes may leave.
  void publish(Search& search, const Plan& plan, const crypto::Sha256& prefix, const Slot& slot);
  void abandon(Search& search, mesh::ReleaseOutcome outcome);
  // Before its end: the request waits for its turn at GitHub, or has got it.
  void queued(const Search& search, bool waits);
  // How a candidate fared: GitHub proved the peer's bytes, or answered with others.
  void report(const Search& search, bool proved);

  // A repository has been seen to be public.
  void saw_public(const Plan& plan);

  // Tells all members, and waits until they have confirmed, at most 100 ms.
  io::Task<> invalidate(std::vector<store::GroupId> groups);
  // Drops these groups on all members, or everything if none is named.
  io::Task<mesh::InvalidateDone> purge(std::vector<store::GroupId> groups);

  // GitHub's limits, told by and to the members: a bucket is a token and a resource.
  void pause(const Plan& plan, std::string_view resource, Duration length);
  void resumed(const Plan& plan, std::string_view resource);
  std::optional<TimePoint> paused_until(const Plan& plan, std::string_view resource);
  // What the mesh calls the token that the plan's request carries.
  mesh::TokenTag tag(const Plan& plan) { return sealer(plan).tag(); }

  // What it calls the bucket of a repository's job tokens.
  mesh::TokenTag repository_tag(std::string_view authority, std::string_view repository) const {
    return mesh::repository_tag(options_.lookup_key, authority, repository);
  }

  // After the mesh has changed its secret.
  void set_lookup_key(crypto::SecretKey32 key);
  // The version named in a search that is under way, for deltas (LinkOptions::find_item).
  mesh::ItemPtr find_item(const mesh::LookupKey& key, const mesh::Version& version) const;

  struct Counts {
    std::uint64_t kept_back = 0;    // bodies that may not leave: credentials in them, or too large
    std::uint64_t bad_seals = 0;    // answers that claimed to be fresh and were not sealed by a holder of the token
    std::uint64_t unconfirmed = 0;  // members that had not confirmed a write in time
    std::uint64_t writes_told = 0;
  };
  const Counts& counts() const { return counts_; }
  mesh::Link& link() { return link_; }
  const mesh::Link& link() const { return link_; }

 private:
  // One answer as it would travel.
  struct Described {
    Bytes head;
    mesh::Version version{};
  };
  using Offered = std::multimap<mesh::Version, std::function<mesh::ItemPtr()>>;
  Described describe(const Slot& slot, const crypto::Sha256& prefix) const;
  mesh::ItemPtr make_item(const store::Key& key, std::vector<store::GroupId> groups, const Described& described,
                          ByteView body) const;
  const mesh::TokenSealer& sealer(const Plan& plan);
  mesh::TokenTag bucket(const Plan& plan, std::string_view resource);
  bool may_leave(const Plan& plan, ByteView body);
  bool judge(Search& search, const Plan& plan, const crypto::Sha256& prefix, const Slot& own);
  bool judge_fresh(Search& search, const Plan& plan, const crypto::Sha256& prefix, const Slot& own);
  mesh::Freshness freshness(const Search& search, const Plan& plan, const Slot& slot, const mesh::Version& version);

  io::Loop& loop_;
  mesh::Link& link_;
  Planner& planner_;
  SharingOptions options_;
  std::unordered_map<github::Partition, mesh::TokenSealer, store::KeyHash> sealers_;
  std::unordered_map<std::string, TimePoint> public_;  // repositories, and when they were last seen to be public
  Offered offered_;
  Counts counts_;
};

}  // namespace ghmesh::proxy
