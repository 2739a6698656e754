// SPDX-License-Identifier: Apache-2.0
#include "contacts.hpp"

#include <algorithm>

namespace ghmesh::mesh {

using libp2p::PeerId;
using multiformats::Multiaddr;
using multiformats::Protocol;

std::string_view to_string(ContactSource source) {
  switch (source) {
    case ContactSource::Static: return "--bootstrap";
    case ContactSource::Registry: return "registry";
    case ContactSource::Mdns: return "mDNS";
    case ContactSource::Dns: return "DNS";
  }
  return "";
}

std::string Contact::text() const {
  std::string out = addresses.empty() ? std::string() : addresses.front().text();
  if (peer) out += "/p2p/" + peer->text();
  return out;
}

std::size_t Contacts::hear(ContactSource source, const std::vector<Multiaddr>& addresses, TimePoint now, bool news) {
  std::size_t fresh = 0;
  for (const Multiaddr& address : addresses) {
    const std::optional<PeerId> peer = libp2p::peer_of(address);
    if (peer == self_ || address.has(Protocol::P2pCircuit)) continue;
    const Multiaddr bare = address.decapsulate(Protocol::P2p);
    if (bare.empty() || (!peer && address.has(Protocol::P2p))) continue;
    if (hear_one(source, peer ? peer->text() : bare.text(), peer, bare, now, news)) ++fresh;
  }
  return fresh;
}

bool Contacts::hear_one(ContactSource source, Id id, const std::optional<PeerId>& peer, const Multiaddr& address,
                        TimePoint now, bool news) {
  const auto it = contacts_.find(id);
  if (it == contacts_.end()) {
    if (contacts_.size() >= limits_.contacts && !make_room(source)) return false;
    Contact contact{.peer = peer, .named = peer.has_value(), .addresses = {address}, .source = source};
    contact.heard = contact.next = now;
    contacts_.emplace(std::move(id), std::move(contact));
    return true;
  }
  Contact& contact = it->second;
  contact.heard = now;
  contact.source = std::min(contact.source, source);
  // The newest in front: where a peer was said to be longest ago is the first to go.
  if (const auto known = std::ranges::find(contact.addresses, address); known == contact.addresses.end()) {
    contact.addresses.insert(contact.addresses.begin(), address);
    if (contact.addresses.size() > limits_.addresses) contact.addresses.pop_back();
    news = true;
  }
  // Not at once, and so not as often as somebody cares to say something.
  if (news && contact.failures > 0) contact.next = std::min(contact.next, now + limits_.first_pause);
  return false;
}

// What an operator named stays; of the rest the one that failed most, and was heard of longest ago.
bool Contacts::make_room(ContactSource source) {
  auto worst = contacts_.end();
  for (auto it = contacts_.begin(); it != contacts_.end(); ++it) {
    if (it->second.source == ContactSource::Static || it->second.dialling) continue;
    const auto rank = [](const Contact& c) { return std::tuple(c.failures, c.source, TimePoint::max() - c.heard); };
    if (worst == contacts_.end() || rank(it->second) > rank(worst->second)) worst = it;
  }
  if (worst == contacts_.end()) return false;
  // Hearsay does not push out what is as good.
  if (worst->second.failures == 0 && source >= worst->second.source) return false;
  contacts_.erase(worst);
  return true;
}

std::vector<Contacts::Id> Contacts::take_due(TimePoint now, const std::function<bool(const PeerId&)>& is_member) {
  std::vector<std::map<Id, Contact>::iterator> due;
  for (auto it = contacts_.begin(); it != contacts_.end(); ++it) {
    Contact& contact = it->second;
    if (contact.dialling || contact.next > now) continue;
    if (contact.peer && is_member(*contact.peer)) {
      contact.failures = 0;
      contact.pause = Duration::zero();
      contact.error.clear();
      contact.next = now + limits_.longest_pause;
      continue;
    }
    // It answered, and is no member: it holds another secret, or none.
    if (contact.peer && contact.failures == 0 && contact.pause > Duration::zero()) {
      ++contact.failures;
      contact.error = "it does not hold the mesh secret";
    }
    due.push_back(it);
  }
  std::ranges::sort(due, {}, [](const auto& it) {
    return std::tuple(it->second.source, it->second.failures, it->second.heard, std::string_view(it->first));
  });
  std::vector<Id> out;
  for (const auto& it : due) {
    if (dialling_ >= limits_.dials) break;
    it->second.dialling = true;
    ++dialling_;
    out.push_back(it->first);
  }
  return out;
}

bool Contacts::all_tried(const std::function<bool(const PeerId&)>& is_member) const {
  // Without a failure: not tried yet, or reached and being admitted.
  return std::ranges::all_of(contacts_, [&](const auto& each) {
    const Contact& contact = each.second;
    return contact.failures > 0 || (contact.peer && is_member(*contact.peer));
  });
}

TimePoint Contacts::next_due() const {
  TimePoint next = TimePoint::max();
  if (dialling_ >= limits_.dials) return next;
  for (const auto& [id, contact] : contacts_)
    if (!contact.dialling) next = std::min(next, contact.next);
  return next;
}

void Contacts::on_reached(const Id& id, const PeerId& peer, TimePoint now) {
  const auto it = contacts_.find(id);
  if (it == contacts_.end()) return;
  Contact& contact = it->second;
  if (std::exchange(contact.dialling, false)) --dialling_;
  contact.peer = peer;
  contact.pause = std::clamp(contact.pause * 2, limits_.admission, std::max(limits_.admission, limits_.longest_pause));
  contact.next = now + contact.pause;
  contact.failures = 0;
  contact.error.clear();
}

bool Contacts::on_failed(const Id& id, std::string why, TimePoint now) {
  const auto it = contacts_.find(id);
  if (it == contacts_.end()) return false;
  Contact& contact = it->second;
  if (std::exchange(contact.dialling, false)) --dialling_;
  // Another may come up at an address that named nobody.
  if (!contact.named) contact.peer.reset();
  contact.pause = std::clamp(contact.pause * 2, limits_.first_pause, limits_.longest_pause);
  contact.next = now + contact.pause;
  contact.error = std::move(why);
  return contact.failures++ == 0;
}

void Contacts::forget_old(TimePoint now) {
  std::erase_if(contacts_, [&](const auto& entry) {
    const Contact& contact = entry.second;
    return contact.source != ContactSource::Static && !contact.dialling && now - contact.heard > limits_.memory;
  });
}

const Contact* Contacts::find(const Id& id) const {
  const auto it = contacts_.find(id);
  return it == contacts_.end() ? nullptr : &it->second;
}

std::vector<Contact> Contacts::all() const {
  std::vector<Contact> out;
  for (const auto& [id, contact] : contacts_) out.push_back(contact);
  return out;
}

}  // namespace ghmesh::mesh
