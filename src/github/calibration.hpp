// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "github/resource.hpp"

// Whether the tag's formula may be relied on just now (proof.md, Calibration). Every ordinary 200 with a tag checks the
// formula for free. State is kept per (host, class of resource, media type):
//
//   Learning --(enough matches in a row, and one canary that was not answered 304)--> Proven
//   Proven   --(2 mismatches in the last 100 checks)--> Tripped --(delay, doubling up to 24 h)--> Learning
//   any      --(a canary answered 304: something says 304 to anything)--> all Tripped, every host
//
// Within a class one family of paths can be out of step by itself (its tag made otherwise): two mismatches of the same
// family without one of another set that family aside and leave the class alone.
// A canary is a random tag. While a class learns, and now and then later, it rides on a GET that is needed anyway, so
// it costs nothing; on 1 of 256 peer proofs it takes the proof's place and may be charged once.
// One thread. Bounded by Limits::max_proof_cells.

namespace ghmesh::github {

enum class ProofPhase : std::uint8_t { Learning, Proven, Tripped };
std::string_view to_string(ProofPhase phase);

struct CalibrationOptions {
  std::size_t matches = 20;           // in a row, for a class that nobody vouches for
  std::size_t matches_elsewhere = 3;  // when the formula was seen to match elsewhere on that host, or vouch() said so
  std::size_t window = 100;
  std::size_t mismatches_to_trip = 2;
  std::uint64_t peer_canary_one_in = 256;
  std::uint64_t cold_canary_one_in = 64;  // of plain GETs in Proven: free
  Duration first_delay = std::chrono::minutes(5);
  Duration max_delay = std::chrono::hours(24);
};

struct CalibrationState;

struct ProofCellView {
  std::string host, media_type;
  ResourceClass cls = ResourceClass::Default;
  ProofPhase phase = ProofPhase::Learning;
  std::uint64_t matches = 0, mismatches = 0;  // ever
  std::size_t run = 0;                        // matches in a row
  Duration retry_in{};                        // of a tripped one
};

class Calibration {
 public:
  explicit Calibration(Random& random, CalibrationOptions options = {}) : random_(random), options_(options) {}

  // The formula is known to hold on this host: from recordings, an earlier run of this node, or members of the mesh.
  void vouch(std::string_view host);

  // Another member of the mesh has seen that class follow the formula on this host, and this node has seen the host
  // tell tags apart: a class that is Learning is Proven from now on. Its own mismatches trip it as ever.
  void believe(std::string_view host, const Resource& resource, std::string_view accept, TimePoint now);

  ProofPhase phase(std::string_view host, const Resource& resource, std::string_view accept, TimePoint now);
  // Matches still missing before that class is Proven; 0 in Proven. Large in Tripped.
  std::size_t missing(std::string_view host, const Resource& resource, std::string_view accept, TimePoint now);

  // A self-check: an ordinary 200's tag against the one computed from its body.
  void on_self_check(std::string_view host, const Resource& resource, std::string_view accept, bool match,
                     TimePoint now);

  // Whether a plain GET should carry a canary; whether this proof with a peer's body should give way to one.
  bool canary_on_plain(std::string_view host, const Resource& resource, std::string_view accept, TimePoint now);
  bool canary_before_peer_proof();
  // 64 random hexadecimal digits.
  std::string make_canary();
  // How the origin answered a canary. A 304 trips everything; another status passes the class.
  void on_canary(std::string_view host, const Resource& resource, std::string_view accept, bool answered_304,
                 TimePoint now);

  // What the next run of this node shall know (calibration_state.hpp), and back. Taken up: trips for the time they had
  // left, at most max_delay; Proven while it is not older than max_delay, else as by vouch().
  CalibrationState state(TimePoint now, WallTime wall) const;
  void restore(const CalibrationState& state, TimePoint now, WallTime wall);
  // Called when state() says something new, and now and then while it is in use.
  void on_change(std::function<void()> call) { changed_ = std::move(call); }

  std::vector<ProofCellView> cells(TimePoint now);
  std::uint64_t trips() const { return trips_; }

 private:
  struct Cell {
    ProofPhase phase = ProofPhase::Learning;
    bool canary_passed = false;
    std::size_t run = 0;
    std::uint64_t matches = 0, mismatches = 0;
    std::vector<bool> window;  // the last checks, true for a mismatch; a ring
    std::size_t window_at = 0;
    std::string last_bad_family;
    Duration delay{};
    TimePoint retry_at{};
    TimePoint proven_at{};
  };
  struct Family {
    std::size_t mismatches = 0;  // in a row of its own checks
    TimePoint set_aside_until{};
  };

  Cell& cell(std::string_view host, ResourceClass cls, std::string_view accept, TimePoint now);
  bool set_aside(std::string_view host, const Resource& resource, std::string_view accept, TimePoint now) const;
  std::size_t needed(std::string_view host, std::string_view accept) const;
  void settle(Cell& cell, std::string_view host, std::string_view accept, TimePoint now);
  void record(Cell& cell, bool mismatch);
  void trip(Cell& cell, TimePoint now);
  void tell(TimePoint now);
  bool on_mismatch(Cell& cell, std::string_view host, const Resource& resource, std::string_view accept, TimePoint now);

  Random& random_;
  CalibrationOptions options_;
  std::unordered_map<std::string, Cell> cells_;
  std::unordered_map<std::string, Family> families_;
  std::unordered_map<std::string, std::size_t> host_runs_;  // matches in a row per host and media type, any class
  std::unordered_map<std::string, bool> vouched_;
  TimePoint all_tripped_until_{};
  Duration all_delay_{};
  std::uint64_t trips_ = 0;
  std::function<void()> changed_;
  bool untold_ = false;
  TimePoint told_at_{};
};

}  // namespace ghmesh::github
