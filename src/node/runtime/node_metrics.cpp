// SPDX-License-Identifier: Apache-2.0
#include "node_metrics.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace ghmesh::node {
namespace {

using metrics::Kind;
using metrics::Sample;
using Samples = std::vector<Sample>;

// How often the loop is asked how late it is: often enough to meet a stall, seldom enough to cost nothing.
constexpr Duration kLagEvery = 500ms;

// Two of the numbers of /proc/self/statm are of use: pages in all, and pages resident.
double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double open_descriptors() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  double count = -3;  // ".", "..", and the one that looks
  while (::readdir(directory) != nullptr) ++count;
  ::closedir(directory);
  return count;
}

double descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

NodeMetrics::NodeMetrics(Parts parts)
    : parts_(std::move(parts)),
      lag_(parts_.registry.histogram("ghmesh_event_loop_lag_seconds", "How late the event loop ran a timer.")),
      tick_(parts_.loop, [this] { on_tick(); }),
      due_(parts_.loop.now()) {
  add_node();
  add_process();
  add_quota();
  add_proofs();
  add_store();
  add_mesh();
  tick_.arm_at(due_);
}

void NodeMetrics::on_tick() {
  const TimePoint now = parts_.loop.now();
  lag_.observe(std::max(0.0, std::chrono::duration<double>(now - due_).count()));
  due_ = now + std::chrono::duration_cast<TimePoint::duration>(kLagEvery);
  tick_.arm_at(due_);
}

void NodeMetrics::add_node() {
  parts_.registry.gauge("ghmesh_build_info", "1; the labels say what runs.", {{"version", GHMESH_VERSION}}).set(1);
  parts_.registry.collect("ghmesh_connections", "Open connections of clients.", Kind::Gauge,
                          [this] { return Samples{{{}, static_cast<double>(parts_.server.counts().connections)}}; });
  parts_.registry.collect("ghmesh_connections_rejected_total", "Connections over the bound.", Kind::Counter,
                          [this] { return Samples{{{}, static_cast<double>(parts_.server.counts().rejected)}}; });
}

void NodeMetrics::add_process() {
  metrics::Registry& registry = parts_.registry;
  const auto now = std::chrono::duration<double>(parts_.loop.wall_now().time_since_epoch()).count();
  registry.gauge("process_start_time_seconds", "When the node started, in Unix seconds.").set(now);
  registry.collect("process_cpu_seconds_total", "User and system time of the process.", Kind::Counter,
                   [] { return Samples{{{}, cpu_seconds()}}; });
  registry.collect("process_resident_memory_bytes", "Resident memory of the process.", Kind::Gauge,
                   [] { return Samples{{{}, resident_bytes()}}; });
  registry.collect("process_open_fds", "Open file descriptors of the process.", Kind::Gauge,
                   [] { return Samples{{{}, open_descriptors()}}; });
  registry.collect("process_max_fds", "How many file descriptors may be open.", Kind::Gauge,
                   [] { return Samples{{{}, descriptor_limit()}}; });
}

void NodeMetrics::add_quota() {
  const auto add = [this](const char* name, const char* help, std::int64_t github::QuotaView::* member) {
    parts_.registry.collect(name, help, Kind::Gauge, [this, member] {
      Samples out;
      for (const github::QuotaView& view : parts_.quota.ledger().view(parts_.loop.wall_now()))
        out.push_back({{{"token", view.token}, {"resource", view.resource}}, static_cast<double>(view.*member)});
      return out;
    });
  };
  add("ghmesh_quota_limit", "A token's rate limit, as GitHub last said it.", &github::QuotaView::limit);
  add("ghmesh_quota_remaining", "What is left of it.", &github::QuotaView::remaining);
  add("ghmesh_quota_used", "What is used of it, by whomever.", &github::QuotaView::used);
  add("ghmesh_quota_spent", "What this node spent of it.", &github::QuotaView::spent_by_this_node);
  add("ghmesh_quota_spent_by_members", "What other members of the mesh spent of it.",
      &github::QuotaView::spent_by_members);
  parts_.registry.collect(
      "ghmesh_quota_reset_timestamp_seconds", "When the window ends, in Unix seconds.", Kind::Gauge, [this] {
        Samples out;
        for (const auto& view : parts_.quota.ledger().view(parts_.loop.wall_now()))
          out.push_back({{{"token", view.token}, {"resource", view.resource}}, static_cast<double>(view.reset)});
        return out;
      });
}

void NodeMetrics::add_proofs() {
  parts_.registry.collect(
      "ghmesh_proof_state", "1 for the present state of proofs of a class of resources.", Kind::Gauge, [this] {
        // Cells differ by media type, too; a class is as its worst cell is.
        std::map<std::string, github::ProofPhase> worst;
        for (const auto& cell : parts_.proxy.calibration().cells(parts_.loop.now())) {
          auto& known = worst.try_emplace(std::string(github::to_string(cell.cls)), cell.phase).first->second;
          if (cell.phase == github::ProofPhase::Tripped || known == github::ProofPhase::Proven)
            known = known == github::ProofPhase::Tripped ? known : cell.phase;
        }
        Samples out;
        for (const auto& [cls, phase] : worst)
          for (const auto state :
               {github::ProofPhase::Learning, github::ProofPhase::Proven, github::ProofPhase::Tripped})
            out.push_back(
                {{{"class", cls}, {"state", std::string(github::to_string(state))}}, state == phase ? 1. : 0.});
        return out;
      });
  const auto checks = [this](bool matches) {
    std::uint64_t sum = 0;
    for (const auto& cell : parts_.proxy.calibration().cells(parts_.loop.now()))
      sum += matches ? cell.matches : cell.mismatches;
    return static_cast<double>(sum);
  };
  parts_.registry.collect(
      "ghmesh_proof_checks", "Answers whose tag was held against the formula, by outcome.", Kind::Gauge,
      [checks] { return Samples{{{{"outcome", "match"}}, checks(true)}, {{{"outcome", "mismatch"}}, checks(false)}}; });
  parts_.registry.collect("ghmesh_proof_trips_total", "How often proofs were stopped.", Kind::Counter,
                          [this] { return Samples{{{}, static_cast<double>(parts_.proxy.calibration().trips())}}; });
}

void NodeMetrics::add_store() {
  const auto add = [this](const char* name, const char* help, Kind kind, std::uint64_t store::Stats::* member) {
    parts_.registry.collect(
        name, help, kind, [this, member] { return Samples{{{}, static_cast<double>(parts_.store.stats().*member)}}; });
  };
  parts_.registry.collect("ghmesh_store_entries", "Answers held.", Kind::Gauge, [this] {
    return Samples{
        {{}, static_cast<double>(parts_.store.stats().entries) - static_cast<double>(parts_.proxy.own_records())}};
  });
  add("ghmesh_store_memory_bytes", "Memory that records and the index take.", Kind::Gauge, &store::Stats::memory_bytes);
  add("ghmesh_store_disk_bytes", "What the store takes on disk.", Kind::Gauge, &store::Stats::disk_bytes);
  add("ghmesh_store_evictions_total", "Records dropped to make room.", Kind::Counter, &store::Stats::evictions);
  add("ghmesh_store_io_errors_total", "Reads and writes that failed.", Kind::Counter, &store::Stats::io_errors);
  add("ghmesh_store_write_drops_total", "Records that did not reach the disk.", Kind::Counter,
      &store::Stats::write_drops);
  add("ghmesh_store_corrupt_skipped_total", "Records on disk that did not verify.", Kind::Counter,
      &store::Stats::corrupt_skipped);
  parts_.registry.collect("ghmesh_store_degraded", "1 while the disk takes no writes.", Kind::Gauge,
                          [this] { return Samples{{{}, parts_.store.stats().degraded ? 1. : 0.}}; });
}

void NodeMetrics::add_mesh() {
  metrics::Registry& registry = parts_.registry;
  registry.collect("ghmesh_mesh_up", "1 while the node is in a mesh, 0 for a local cache.", Kind::Gauge,
                   [this] { return Samples{{{}, parts_.mesh != nullptr ? 1. : 0.}}; });
  const auto from_mesh = [&](const char* name, const char* help, Kind kind, auto member) {
    registry.collect(name, help, kind, [this, member] {
      return Samples{
          {{}, parts_.mesh == nullptr ? 0. : static_cast<double>(parts_.mesh->link().mesh().stats().*member)}};
    });
  };
  from_mesh("ghmesh_mesh_members", "Other members of the mesh that are believed alive.", Kind::Gauge,
            &mesh::MeshStats::members);
  from_mesh("ghmesh_mesh_peers_connected", "Members with an admitted connection.", Kind::Gauge,
            &mesh::MeshStats::connected);
  from_mesh("ghmesh_mesh_partitions", "Partitions of which this node is the first to be asked, of 64.", Kind::Gauge,
            &mesh::MeshStats::partitions);
  from_mesh("ghmesh_mesh_searches_total", "Questions put to members before GitHub was asked.", Kind::Counter,
            &mesh::MeshStats::searches);
  from_mesh("ghmesh_mesh_leases_total", "Leases to fetch that this node got for its fleet.", Kind::Counter,
            &mesh::MeshStats::leases);
  from_mesh("ghmesh_mesh_protocol_errors_total", "Messages of members that broke a rule.", Kind::Counter,
            &mesh::MeshStats::protocol_errors);
  const auto from_link = [&](const char* name, const char* help, std::uint64_t mesh::LinkStats::* in,
                             std::uint64_t mesh::LinkStats::* out) {
    registry.collect(name, help, Kind::Counter, [this, in, out] {
      const mesh::LinkStats stats = parts_.mesh == nullptr ? mesh::LinkStats{} : parts_.mesh->link().stats();
      return Samples{{{{"direction", "in"}}, static_cast<double>(stats.*in)},
                     {{{"direction", "out"}}, static_cast<double>(stats.*out)}};
    });
  };
  from_link("ghmesh_mesh_messages_total", "Messages exchanged with members.", &mesh::LinkStats::messages_in,
            &mesh::LinkStats::messages_out);
  from_link("ghmesh_mesh_bytes_total", "Octets exchanged with members, sealed.", &mesh::LinkStats::bytes_in,
            &mesh::LinkStats::bytes_out);
  registry.collect(
      "ghmesh_mesh_messages_dropped_total", "Messages to members that were too slow or out of reach.", Kind::Counter,
      [this] {
        return Samples{{{}, parts_.mesh == nullptr ? 0. : static_cast<double>(parts_.mesh->link().stats().dropped)}};
      });
}

}  // namespace ghmesh::node
