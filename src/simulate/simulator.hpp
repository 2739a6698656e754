// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <unordered_map>
#include <vector>

#include "mesh/exchange/mesh.hpp"

// Many members of the mesh in virtual time: the very state machines that ship, over a network of delays, with an origin
// that changes its answers. Sizes are counted as the wire would have them; bodies stand for their sizes and nothing is
// encrypted. One thread; the same seed gives the same run.

namespace ghmesh::simulate {

// Nearly every word of this room is the mesh's.
using namespace mesh;

using NodeIndex = std::size_t;

struct NetworkModel {
  Duration rtt_min = 300us;
  Duration rtt_max = 2ms;
  Duration upstream_min = 80ms;
  Duration upstream_max = 200ms;
  // TCP, Noise, muxer, admission: the first message between two members.
  int first_contact_rtts = 4;
};

struct Totals {
  std::uint64_t requests = 0;
  std::uint64_t local = 0;       // fresh here
  std::uint64_t from_peers = 0;  // fresh from the mesh
  std::uint64_t upstream = 0;
  std::uint64_t charged = 0;     // 200
  std::uint64_t again = 0;       // of those, for what had been paid for before
  std::uint64_t ideal = 0;       // one fleet-wide cache without delay
  std::uint64_t messages = 0;    // of requests, the pace and repair
  std::uint64_t membership = 0;  // messages of membership
  std::uint64_t bytes = 0;       // all, with frames, compressed bodies
  std::uint64_t membership_bytes = 0;
  std::uint64_t alone = 0;
  std::uint64_t refused = 0;        // would have waited too long for their turn at GitHub
  std::uint64_t wrong = 0;          // answers that were not the origin's bytes within the freshness
  std::uint64_t leaks = 0;          // messages with what never leaves its node
  std::uint64_t refused_seals = 0;  // "fresh for you" that nobody with the token had said
  std::vector<float> latencies_ms;

  double percentile(double share) const;
};

class Simulator {
 public:
  explicit Simulator(std::uint64_t seed, NetworkModel network = {});
  ~Simulator();

  // A node that joins now through any live one. token: which token its clients use.
  NodeIndex join(std::uint32_t token = 0, bool stable = false, bool reachable = true);
  // The same without knowing anybody; meet() is the connection of two that one of them dials now.
  NodeIndex start_alone(std::uint32_t token = 0, bool stable = false, bool reachable = true);
  void meet(NodeIndex dialler, NodeIndex other);
  // kill -9: connections are reset after half a round trip if reset, else it just falls silent.
  void kill(NodeIndex node, bool reset = true);
  // SIGTERM: hands over, leaves, and is gone after a second.
  void stop(NodeIndex node);
  bool alive(NodeIndex node) const;
  std::vector<NodeIndex> live() const;

  // A client of that node asks for that key now; the answer is counted, and given to done if it is set.
  struct Answer {
    std::uint64_t version = 0;
    bool charged = false;
    bool upstream = false;
    bool refused = false;
    Duration took{};
  };
  void request(NodeIndex node, std::uint32_t key, std::function<void(const Answer&)> done = {});
  void write(NodeIndex node, std::uint32_t key);  // a POST of one of its clients that changes the key
  void at(Duration from_now, std::function<void()> action);
  void run_for(Duration time);
  TimePoint now() const { return now_; }

  // The origin. A key changes every so often; 0: never.
  void set_change_interval(std::uint32_t key, Duration interval);
  void change(std::uint32_t key);
  std::uint64_t version_of_key(std::uint32_t key);
  Duration fresh_for = 60s;
  ExchangeLimits exchange;    // of those that start from now on
  Duration upstream_fixed{};  // if set, every fetch takes exactly this
  // 403 for everybody until then.
  TimePoint limited_until{};
  std::uint64_t limited_answers = 0;

  // Messages that match are lost.
  std::function<bool(NodeIndex from, NodeIndex to)> cut;
  // A member that does not behave: sees each message it would send and may change it, or drop it (false).
  std::function<bool(NodeIndex from, NodeIndex to, Message& message)> tamper;
  // What it sends cannot be opened or read (junk, a replayed or spliced envelope, a MAC of other keys): the session
  // ends.
  std::function<bool(NodeIndex from, NodeIndex to)> garble;
  // A member with a fault of its own: takes what the mesh brings for the origin's word, without seal or proof. For the
  // tests of the count of wrong bytes, which must be able to fail.
  std::function<bool(NodeIndex node)> credulous;
  // A message that its member did not think of.
  void send(NodeIndex from, NodeIndex to, Message message);
  // Keys whose answers stay on the node that fetched them.
  std::set<std::uint32_t> never_leave;
  static LookupKey lookup_key_of(std::uint32_t key);

  Totals& totals() { return totals_; }
  void reset_totals();
  Mesh& mesh(NodeIndex node);
  // Who is rank 1 (0), 2 (1), 3 (2) of the key, as that node sees it.
  std::optional<NodeIndex> rank(NodeIndex seen_by, std::uint32_t key, std::size_t which);
  std::map<std::string_view, std::uint64_t> messages_by_type() const;
  std::uint64_t message_count(std::string_view type) const { return messages_by_type()[type]; }

 private:
  struct Node;
  struct Event {
    TimePoint when;
    std::uint64_t order;
    std::function<void()> action;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
  };
  struct KeyState {
    std::uint64_t manual = 0;
    std::uint64_t manual_seen = 0;  // changes so old that everybody must have them
    Duration interval{};
    Duration phase{};
    // Of the ideal cache:
    std::uint64_t ideal_version = ~std::uint64_t{0};
    TimePoint ideal_fresh_until{};
    std::uint64_t charged_version = ~std::uint64_t{0};  // the newest that was paid for
  };
  struct Pending;

  void count_on(NodeIndex node);
  void drain(NodeIndex node);
  void arm(NodeIndex node);
  void deliver(NodeIndex from, const PeerId& to, Message message);
  void on_result(NodeIndex node, const FindResult& result);
  void find_again(NodeIndex node, std::uint32_t key, const Disbelieved& seen);
  void fetch(NodeIndex node, FindId find, std::uint32_t key, ItemPtr candidate, const PeerId& from = nobody());
  void refuse(NodeIndex node, FindId find, std::uint32_t key);
  void send_upstream(NodeIndex node, FindId find, std::uint32_t key, ItemPtr candidate, const PeerId& from);
  void fetched(NodeIndex node, FindId find, std::uint32_t key, const ItemPtr& candidate, std::uint64_t version);
  void check(std::uint32_t key, const Item& item);
  void end_session(NodeIndex reader, NodeIndex sender);
  void answer(NodeIndex node, std::uint32_t key, const Item& item, bool upstream, bool charged);
  void count_ideal(std::uint32_t key);
  KeyState& key_state(std::uint32_t key);
  Duration one_way(NodeIndex a, NodeIndex b);
  ItemPtr make_item(NodeIndex by, std::uint32_t key, std::uint64_t version) const;
  std::size_t body_size(const Item& item, bool delta) const;

  SeededRandom random_;
  NetworkModel network_;
  TimePoint now_ = TimePoint(1h);
  std::uint64_t order_ = 0;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unordered_map<PeerId, NodeIndex> by_peer_;
  std::unordered_map<std::uint32_t, KeyState> keys_;
  std::array<std::uint64_t, std::variant_size_v<Message>> by_type_{};
  Totals totals_;
};

// The fleet of p2p-caching's measurements: N members that live 2 to 20 minutes, half of them killed, replaced within
// seconds; half a request a second each, Zipf 0.9 over K keys; every minute a fifth of them start the same script of 20
// keys; 20 % of the keys change every 2 minutes, 50 % every 30, 30 % never. The first part of the run is not counted.
struct FleetPlan {
  std::size_t nodes = 50;
  std::uint32_t keys = 1000;
  Duration time = 20min;
  Duration warm_up = 3min;
  std::uint64_t seed = 1;
  bool churn = true;
  Duration longest_life = 20min;  // of a member, the shortest is a tenth of it; half of them are killed
  std::uint32_t tokens = 1;       // members use them in turn
};
struct FleetReport {
  FleetPlan plan;
  Totals totals;
  double charged_per_ideal = 0;
  double messages_per_request = 0;
  double kilobytes_per_second = 0;  // a node, sent
  double p50_ms = 0;
  double p99_ms = 0;
  std::map<std::string_view, std::uint64_t> messages_by_type;
  double membership_share() const;  // of the bytes
  std::string text() const;         // two lines for people
};
// progress: told how much virtual time has passed, every second of it.
FleetReport simulate_fleet(const FleetPlan& plan, const std::function<void(Duration done)>& progress = {});

}  // namespace ghmesh::simulate
