// SPDX-License-Identifier: Apache-2.0
#include "discovery.hpp"

#include <algorithm>

#include "io/sync.hpp"
#include "io/task_group.hpp"
#include "libp2p/mdns/discovery.hpp"
#include "names.hpp"

namespace ghmesh::mesh {

using libp2p::PeerId;
using multiformats::Multiaddr;

// Keeps a heartbeat that is still under way from undoing a withdrawal.
struct RegistryGate {
  std::mutex mutex;
  bool left = false;  // guarded by mutex
};

struct Discovery::State {
  State(libp2p::Host& h, Random& r, io::Network& n, io::WorkPool& p, DiscoveryOptions o)
      : host(h),
        random(r),
        network(n),
        pool(p),
        options(std::move(o)),
        contacts(host.id(), options.limits),
        changed(host.loop()),
        renew(host.loop()),
        registered(host.loop()),
        tasks(host.loop()) {}

  TimePoint now() const { return host.loop().now(); }
  bool is_member(const PeerId& peer) const { return options.is_member && options.is_member(peer); }
  bool alone() const;

  void hear(ContactSource source, const std::vector<Multiaddr>& addresses, bool news);
  io::Task<void> keep_dialling();
  struct Race;
  io::Task<void> dial(Contacts::Id id);
  io::Task<void> attempt(Multiaddr address, Race& race);
  io::Task<void> keep_looking();
  io::Task<void> look_up_names();
  io::Task<void> look_at_registry();
  io::Task<void> keep_registered();
  void note_registry(const Result<Discovered>& found);
  void start_multicast();

  libp2p::Host& host;
  Random& random;
  io::Network& network;
  io::WorkPool& pool;
  DiscoveryOptions options;
  Contacts contacts;
  io::Event changed;
  io::Event renew;       // the record
  io::Event registered;  // for the first time, or tried to
  bool looked = false;   // into directory and names, once
  DiscoveryStats stats;
  std::map<PeerId, WallTime> last_seen;  // of records: a newer one is a sign of life; bounded by the registry's files
  std::string last_registry_error;
  std::shared_ptr<RegistryGate> gate = std::make_shared<RegistryGate>();
  std::vector<std::unique_ptr<libp2p::mdns::Discovery>> multicast;
  io::TaskGroup tasks;
};

bool Discovery::State::alone() const {
  return std::ranges::none_of(host.swarm().connections(), [&](const auto& c) { return is_member(c->peer()); });
}

void Discovery::State::hear(ContactSource source, const std::vector<Multiaddr>& addresses, bool news) {
  const std::size_t fresh = contacts.hear(source, addresses, now(), news);
  stats.heard += fresh;
  if (fresh > 0 && !addresses.empty())
    options.log.debug("heard of a peer", {{"from", to_string(source)}, {"address", addresses.front().text()}});
  changed.set();
}

io::Task<void> Discovery::State::keep_dialling() {
  while (true) {
    changed.reset();
    contacts.forget_old(now());
    for (Contacts::Id& id : contacts.take_due(now(), [this](const PeerId& peer) { return is_member(peer); }))
      tasks.spawn(dial(std::move(id)));
    co_await changed.wait_until(contacts.next_due());
  }
}

// One contact's addresses, tried with a head start each.
struct Discovery::State::Race {
  explicit Race(io::Loop& loop) : progress(loop) {}
  io::Event progress;
  std::size_t running = 0;
  std::optional<PeerId> reached;
  std::string error = "no address of the peer can be dialled";
};

io::Task<void> Discovery::State::attempt(Multiaddr address, Race& race) {
  const auto connection = co_await host.swarm().dial(std::move(address));
  --race.running;
  if (connection) {
    race.reached = (*connection)->peer();
  } else {
    race.error = connection.error().message;
  }
  race.progress.set();
}

io::Task<void> Discovery::State::dial(Contacts::Id id) {
  const Contact contact = *contacts.find(id);
  ++stats.dials;
  Race race(host.loop());
  {
    io::TaskGroup attempts(host.loop());
    for (std::size_t next = 0; !race.reached && (next < contact.addresses.size() || race.running > 0);) {
      if (next < contact.addresses.size()) {
        const Multiaddr& address = contact.addresses[next++];
        auto whole = contact.named ? libp2p::with_peer(address, *contact.peer) : Result<Multiaddr>(address);
        if (!whole) continue;
        ++race.running;
        attempts.spawn(attempt(std::move(*whole), race));
      }
      const TimePoint patience = next < contact.addresses.size() ? now() + options.limits.head_start : TimePoint::max();
      co_await race.progress.wait_until(patience);
      race.progress.reset();
    }
  }
  if (race.reached) {
    contacts.on_reached(id, *race.reached, now());
  } else {
    ++stats.failed_dials;
    const bool first = contacts.on_failed(id, race.error, now());
    if (first && contact.source == ContactSource::Static)
      options.log.warn("bootstrap peer not reached; trying again in the background",
                       {{"address", contact.text()}, {"why", race.error}});
  }
  changed.set();
}

// Directory and names by turns: often while nobody is there, rarely afterwards.
io::Task<void> Discovery::State::keep_looking() {
  Duration pause = options.limits.alone_first;
  // Of any two that start together the one that is registered last then finds the other. A directory that hangs is not
  // waited for.
  if (options.registry) co_await registered.wait_for(options.limits.registered);
  while (true) {
    co_await look_at_registry();
    co_await look_up_names();
    looked = true;
    if (alone()) {
      co_await host.loop().sleep_for(pause);
      pause = std::min(pause * 2, options.limits.alone_longest);
    } else {
      pause = options.limits.alone_first;
      // Somebody who loses all company looks again soon.
      for (Duration waited{0}; waited < options.limits.joined && !alone(); waited += options.limits.alone_longest)
        co_await host.loop().sleep_for(std::min(options.limits.alone_longest, options.limits.joined));
    }
  }
}

io::Task<void> Discovery::State::look_up_names() {
  for (const Multiaddr& address : options.bootstrap) {
    if (!begins_with_name(address)) continue;
    const auto found = co_await expand(network, address, options.limits);
    if (found) {
      std::vector<Multiaddr> others = *found;
      const std::vector<Multiaddr> own = host.swarm().listen_addresses();
      std::erase_if(others, [&](const Multiaddr& each) {
        return std::ranges::find(own, each.decapsulate(multiformats::Protocol::P2p)) != own.end();
      });
      hear(ContactSource::Dns, others, false);
    } else {
      options.log.debug("bootstrap name not resolved", {{"address", address.text()}, {"why", found.error().message}});
    }
  }
}

io::Task<void> Discovery::State::look_at_registry() {
  if (!options.registry) co_return;
  const Result<Discovered> found =
      co_await pool.run(host.loop(),
                        [registry = options.registry, also = options.also_read, self = host.id(),
                         wall = host.loop().wall_now()]() -> Result<Discovered> {
                          Result<Discovered> all = registry->discover(self, wall);
                          if (!all || !also) return all;
                          // What is foreign to one secret may be of the other.
                          if (auto more = also->discover(self, wall)) {
                            all->foreign -= std::min(all->foreign, more->records.size());
                            std::ranges::move(more->records, std::back_inserter(all->records));
                          }
                          return all;
                        });
  note_registry(found);
  if (!found) co_return;
  std::map<PeerId, WallTime> seen;
  for (const RegistryRecord& record : found->records) {
    const auto before = last_seen.find(record.peer);
    const bool news = before != last_seen.end() && before->second < record.last_seen;
    seen[record.peer] = record.last_seen;
    std::vector<Multiaddr> addresses;
    // A record speaks for its peer only, whatever its addresses end with.
    for (const Multiaddr& address : record.addresses)
      if (auto whole = libp2p::with_peer(address.decapsulate(multiformats::Protocol::P2p), record.peer))
        addresses.push_back(std::move(*whole));
    hear(ContactSource::Registry, addresses, news);
  }
  last_seen = std::move(seen);
}

void Discovery::State::note_registry(const Result<Discovered>& found) {
  if (!found) {
    stats.registry_error = found.error();
    if (std::exchange(last_registry_error, found.error().message) != found.error().message)
      options.log.warn("registry directory not readable", {{"why", found.error().message}});
    return;
  }
  if (stats.registered) {
    stats.registry_error.reset();
    last_registry_error.clear();
  }
  stats.registry_records = found->records.size();
  stats.registry_stale = found->stale;
  stats.registry_foreign = found->foreign;
  stats.registry_hostile = found->hostile;
}

io::Task<void> Discovery::State::keep_registered() {
  const auto key = std::make_shared<const libp2p::PrivateKey>(host.key().clone());
  while (true) {
    RegistryRecord record{.peer = host.id(),
                          .runner_name = options.runner_name,
                          .addresses = host.addresses(),
                          .last_seen = {},
                          .expires = {},
                          .metadata = options.metadata};
    struct Done {
      Result<void> published;
      std::size_t cleaned = 0;
    };
    const Done done = co_await pool.run(host.loop(), [registry = options.registry, gate = gate, key,
                                                      record = std::move(record), wall = host.loop().wall_now()] {
      const std::scoped_lock lock(gate->mutex);
      if (gate->left) return Done{};
      Done out{registry->publish(*key, record, wall)};
      out.cleaned = registry->clean(wall).value_or(0);
      return out;
    });
    stats.registered = done.published.has_value();
    registered.set();
    stats.registry_cleaned += done.cleaned;
    if (!done.published) {
      stats.registry_error = done.published.error();
      if (std::exchange(last_registry_error, done.published.error().message) != done.published.error().message)
        options.log.warn("not registered: others will not find this node in the directory; is it writable?",
                         {{"why", done.published.error().message}});
    }
    // A directory that is full or away may be back long before the next heartbeat is due.
    const Duration heartbeat = options.registry->heartbeat();
    renew.reset();
    co_await renew.wait_for(done.published ? heartbeat : std::min(heartbeat, Duration(60s)));
  }
}

void Discovery::State::start_multicast() {
  std::vector<io::IpAddress> interfaces = options.multicast_on;
  if (interfaces.empty())
    for (const io::IpAddress& ip : network.interface_addresses())
      if (!ip.is_loopback() && (!ip.v6 || ip.scope != 0)) interfaces.push_back(ip);
  if (interfaces.empty()) interfaces.push_back(io::IpAddress::loopback());
  for (const io::IpAddress& ip : interfaces) {
    auto started = libp2p::mdns::Discovery::start(
        *options.multicast, random, host.id(), [this] { return host.addresses(); },
        [this](const PeerId& peer, const Multiaddr& address) {
          if (auto whole = libp2p::with_peer(address, peer)) hear(ContactSource::Mdns, {std::move(*whole)}, true);
        },
        {.interface = ip, .port = options.multicast_port, .interval = std::chrono::minutes(1), .limits = {}});
    if (started) {
      multicast.push_back(std::move(*started));
    } else {
      options.log.warn("mDNS not available on an interface",
                       {{"interface", to_string(ip)}, {"why", started.error().message}});
    }
  }
  stats.multicast_interfaces = multicast.size();
}

Discovery::Discovery(libp2p::Host& host, Random& random, io::Network& network, io::WorkPool& pool,
                     DiscoveryOptions options)
    : state_(std::make_unique<State>(host, random, network, pool, std::move(options))) {}

Discovery::~Discovery() = default;

void Discovery::start() {
  State& s = *state_;
  std::vector<Multiaddr> plain;
  for (const Multiaddr& address : s.options.bootstrap)
    if (!begins_with_name(address)) plain.push_back(address);
  s.hear(ContactSource::Static, plain, false);
  if (s.options.multicast != nullptr) s.start_multicast();
  s.tasks.spawn(s.keep_dialling());
  s.tasks.spawn(s.keep_looking());
  if (s.options.registry) s.tasks.spawn(s.keep_registered());
}

io::Task<void> Discovery::leave() {
  State& s = *state_;
  s.tasks.cancel();
  s.multicast.clear();
  if (!s.options.registry) co_return;
  const Result<void> gone =
      co_await s.pool.run(s.host.loop(), [registry = s.options.registry, gate = s.gate, self = s.host.id()] {
        const std::scoped_lock lock(gate->mutex);
        gate->left = true;
        return registry->withdraw(self);
      });
  s.stats.registered = false;
  if (!gone) s.options.log.warn("record not withdrawn", {{"why", gone.error().message}});
}

void Discovery::set_registry(std::shared_ptr<const Registry> registry, std::shared_ptr<const Registry> also_read) {
  state_->options.registry = std::move(registry);
  state_->options.also_read = std::move(also_read);
  state_->renew.set();
}

bool Discovery::settled() const {
  return state_->looked && state_->contacts.all_tried([this](const PeerId& peer) { return state_->is_member(peer); });
}

const DiscoveryStats& Discovery::stats() const { return state_->stats; }
std::vector<Contact> Discovery::contacts() const { return state_->contacts.all(); }

}  // namespace ghmesh::mesh
