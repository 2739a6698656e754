// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/core/peer_id.hpp"
#include "limits.hpp"
#include "multiformats/multiaddr.hpp"

// Peers heard of but not yet met, and when each is tried next. All of it is hearsay: an address earns nothing until
// somebody who holds the secret answers there. Pure; one loop.

namespace ghmesh::mesh {

// Who said so, in the order in which they are tried.
enum class ContactSource : std::uint8_t { Static, Registry, Mdns, Dns };
std::string_view to_string(ContactSource source);  // "--bootstrap", "registry", "mDNS", "DNS"

struct Contact {
  std::optional<libp2p::PeerId> peer;              // named by the address, or whoever answered there
  bool named = false;                              // by the address: nobody else will do
  std::vector<multiformats::Multiaddr> addresses;  // without /p2p
  ContactSource source = ContactSource::Static;
  TimePoint heard{};
  TimePoint next{};
  Duration pause{0};
  unsigned failures = 0;  // in a row
  bool dialling = false;
  std::string error;  // of the last attempt

  std::string text() const;  // for people: the first address, with the peer if it is known
};

class Contacts {
 public:
  using Id = std::string;

  Contacts(libp2p::PeerId self, DiscoveryLimits limits) : self_(self), limits_(limits) {}

  // All of one peer (or of nobody in particular: then each address is a contact of its own). news: the peer has said
  // something since, so what failed before may work now. How many contacts were new.
  std::size_t hear(ContactSource source, const std::vector<multiformats::Multiaddr>& addresses, TimePoint now,
                   bool news = false);
  // Those to dial now, best source first, as many as may be under way; they count as under way until on_reached or
  // on_failed. is_member says who needs no dialling.
  std::vector<Id> take_due(TimePoint now, const std::function<bool(const libp2p::PeerId&)>& is_member);
  // When to call take_due again.
  TimePoint next_due() const;

  // A connection stands; whether the peer holds the secret shows later.
  void on_reached(const Id& id, const libp2p::PeerId& peer, TimePoint now);
  // Whether this is the first failure since it worked.
  bool on_failed(const Id& id, std::string why, TimePoint now);
  // Drops what nobody repeated.
  void forget_old(TimePoint now);

  // Whether everybody heard of has been tried, and is a member or did not work.
  bool all_tried(const std::function<bool(const libp2p::PeerId&)>& is_member) const;

  const Contact* find(const Id& id) const;
  std::vector<Contact> all() const;
  std::size_t size() const { return contacts_.size(); }

 private:
  bool hear_one(ContactSource source, Id id, const std::optional<libp2p::PeerId>& peer,
                const multiformats::Multiaddr& address, TimePoint now, bool news);
  bool make_room(ContactSource source);

  libp2p::PeerId self_;
  DiscoveryLimits limits_;
  std::map<Id, Contact> contacts_;
  std::size_t dialling_ = 0;
};

}  // namespace ghmesh::mesh
