// SPDX-License-Identifier: Apache-2.0
#include "events.hpp"

#include <nlohmann/json.hpp>

namespace ghmesh::node {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kLookEvery = 1s;
// Shares of a limit that are left, in percent, when somebody should hear of it.
constexpr std::array kQuotaLevels{50, 20, 5, 0};
// Tokens and resources whose level is known; job tokens come and go.
constexpr std::size_t kMaxLevels = 4096;

std::string dump(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

int level_of(const github::QuotaView& view) {
  int level = 0;
  for (const int percent : kQuotaLevels)
    if (view.remaining * 100 <= view.limit * percent) ++level;
  return level;
}

}  // namespace

NodeEvents::NodeEvents(Parts parts, std::string boot, metrics::Registry& registry)
    : parts_(std::move(parts)),
      hub_(parts_.loop, std::move(boot), {parts_.stats, [this](bool on) { watch(on); }}, registry),
      timer_(parts_.loop, [this] { look(); }) {
  look();
  if (parts_.mesh != nullptr) parts_.mesh->on_member([this](const mesh::MemberChange& change) { on_member(change); });
}

NodeEvents::~NodeEvents() {
  if (parts_.mesh != nullptr) parts_.mesh->on_member({});
}

void NodeEvents::watch(bool on) {
  if (!on) return parts_.activity.observe({});
  parts_.activity.observe([this](const proxy::Answered& answered) {
    hub_.on_request(answered.spent.calls, [&] {
      return admin::RequestEvent{.answer = proxy::to_string(answered.kind),
                                 .cls = proxy::to_string(answered.cls),
                                 .method = answered.method,
                                 .path = answered.path,
                                 .status = answered.status,
                                 .upstream_status = answered.spent.upstream_status,
                                 .upstream_calls = answered.spent.calls,
                                 .charged = answered.spent.charged,
                                 .seconds = answered.seconds};
    });
  });
}

void NodeEvents::look() {
  look_at_breakers();
  look_at_store();
  look_at_quota();
  timer_.arm_at(parts_.loop.now() + std::chrono::duration_cast<TimePoint::duration>(kLookEvery));
}

void NodeEvents::tell(admin::EventKind kind, log::Level level, const std::string& object) {
  hub_.publish(kind, object.substr(1, object.size() - 2));
  if (parts_.told) parts_.told(kind, level, object);
}

void NodeEvents::on_member(const mesh::MemberChange& change) {
  using What = mesh::MemberChange::What;
  const char* state = change.what == What::Joined ? "joined" : change.what == What::Left ? "left" : "dead";
  tell(admin::EventKind::Peer, change.what == What::Died ? log::Level::Warn : log::Level::Info,
       dump(Json{{"state", state}, {"peer", change.peer.text()}}));
}

// A kind of resource whose proofs have stopped because the formula did not hold, and when they go on.
void NodeEvents::look_at_breakers() {
  for (const github::ProofCellView& cell : parts_.proxy.calibration().cells(parts_.loop.now())) {
    github::ProofPhase& known =
        phases_
            .try_emplace(cell.host + " " + cell.media_type + " " + std::string(github::to_string(cell.cls)),
                         github::ProofPhase::Learning)
            .first->second;
    const github::ProofPhase before = std::exchange(known, cell.phase);
    const bool tripped = cell.phase == github::ProofPhase::Tripped;
    if (before == cell.phase || (!tripped && cell.phase != github::ProofPhase::Proven)) continue;
    tell(admin::EventKind::Breaker, tripped ? log::Level::Warn : log::Level::Info,
         dump(Json{{"state", github::to_string(cell.phase)},
                   {"host", cell.host},
                   {"class", github::to_string(cell.cls)},
                   {"media_type", cell.media_type},
                   {"matches", cell.matches},
                   {"mismatches", cell.mismatches},
                   {"retry_in_seconds", std::chrono::duration<double>(cell.retry_in).count()}}));
  }
}

void NodeEvents::look_at_store() {
  const store::Stats stats = parts_.store.stats();
  if (stats.degraded == degraded_ && stats.io_errors == io_errors_) return;
  tell(admin::EventKind::Store, stats.degraded ? log::Level::Error : log::Level::Warn,
       dump(Json{{"state", stats.degraded ? "degraded" : "ok"},
                 {"io_errors", stats.io_errors},
                 {"write_drops", stats.write_drops},
                 {"disk_bytes", stats.disk_bytes}}));
  degraded_ = stats.degraded;
  io_errors_ = stats.io_errors;
}

void NodeEvents::look_at_quota() {
  if (levels_.size() > kMaxLevels) levels_.clear();
  for (const github::QuotaView& view : parts_.quota.ledger().view(parts_.loop.wall_now())) {
    if (view.limit <= 0) continue;
    Level& known = levels_[{view.token, view.resource}];
    const int level = level_of(view);
    const bool new_window = known.reset != 0 && view.reset != known.reset;
    // Told when it falls past a level, and when a window begins anew after that.
    const bool worth = level > known.level || (new_window && level < known.level);
    known = {worth || new_window ? level : std::max(level, known.level), view.reset};
    if (!worth) continue;
    const log::Level bad = view.remaining == 0 ? log::Level::Error : level > 1 ? log::Level::Warn : log::Level::Info;
    tell(admin::EventKind::Quota, bad,
         dump(Json{{"token", view.token},
                   {"resource", view.resource},
                   {"limit", view.limit},
                   {"remaining", view.remaining},
                   {"used", view.used},
                   {"reset", view.reset}}));
  }
}

}  // namespace ghmesh::node
