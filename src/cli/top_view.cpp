// SPDX-License-Identifier: Apache-2.0
#include "top_view.hpp"

#include <array>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <span>
#include <tuple>

namespace ghmesh::cli {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kBold = "\x1b[1m", kGreen = "\x1b[32m", kYellow = "\x1b[33m", kRed = "\x1b[31m";
// Of the 24 rows of the smallest terminal, so that each part shows something.
constexpr std::size_t kFewQuotas = 3, kFewPeers = 3;

struct Line {
  std::string text;
  std::string_view colour = {};
};

std::int64_t integer(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}

double number(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

// Printable ASCII, whatever a node says.
std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return "";
  std::string out = found->get<std::string>();
  for (char& c : out)
    if (c < 0x20 || c > 0x7e) c = '?';
  return out;
}

std::string grouped(std::int64_t value) {
  std::string out = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3)
    out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

std::string octets(std::int64_t value) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto scaled = static_cast<double>(value);
  std::size_t unit = 0;
  for (; scaled >= 1024 && unit + 1 < kUnits.size(); ++unit) scaled /= 1024;
  char out[32];
  std::snprintf(out, sizeof out, unit == 0 ? "%.0f %s" : "%.1f %s", scaled, kUnits[unit]);
  return out;
}

// "42:10", "1:02:03", "3d 04:00"
std::string span_of(std::int64_t seconds) {
  if (seconds < 0) seconds = 0;
  char out[48];
  const auto h = static_cast<long>(seconds / 3600), m = static_cast<long>(seconds / 60 % 60),
             s = static_cast<long>(seconds % 60);
  if (h >= 24) {
    std::snprintf(out, sizeof out, "%ldd %02ld:%02ld", h / 24, h % 24, m);
  } else if (h > 0) {
    std::snprintf(out, sizeof out, "%ld:%02ld:%02ld", h, m, s);
  } else {
    std::snprintf(out, sizeof out, "%ld:%02ld", m, s);
  }
  return out;
}

std::string time_of_day(std::time_t at) {
  std::tm parts{};
  ::localtime_r(&at, &parts);
  char out[16];
  std::strftime(out, sizeof out, "%H:%M:%S", &parts);
  return out;
}

std::string bar(double share, std::size_t width) {
  const auto full = static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * static_cast<double>(width)));
  return std::string(full, '#') + std::string(width - full, '.');
}

std::string left(std::string value, std::size_t width) {
  if (value.size() > width) value = value.substr(0, width > 1 ? width - 1 : width) + (width > 1 ? "~" : "");
  value.resize(width, ' ');
  return value;
}

std::string right(std::string value, std::size_t width) {
  return value.size() >= width ? value : std::string(width - value.size(), ' ') + value;
}

std::string rate(double per_second) {
  char out[32];
  std::snprintf(out, sizeof out, "%.1f/s", per_second);
  return out;
}

// Ids of one kind begin alike and differ at their end.
std::string short_id(const std::string& id) { return id.size() > 12 ? "*" + id.substr(id.size() - 10) : id; }

struct Source {
  const char* member;
  std::string_view name;
};
constexpr std::array kSources{
    Source{"local_hits", "memory, disk"},
    Source{"peer_hits", "a peer"},
    Source{"proofs", "here, proved by 304"},
    Source{"peer_proofs", "a peer, proved by 304"},
    Source{"collapsed", "a request in flight"},
    Source{"stale_served", "stale, GitHub failed"},
    Source{"misses", "GitHub"},
    Source{"bypassed", "GitHub, not cacheable"},
};

TopCount counted(std::string_view name, std::int64_t now, std::int64_t before, double seconds) {
  const double per_second = seconds > 0 && now >= before ? static_cast<double>(now - before) / seconds : 0;
  return {name, now, per_second};
}

std::size_t bar_width(std::size_t width) { return width > 60 ? width - 54 : 6; }

void append_answers(std::vector<Line>& lines, std::span<const TopCount> answers, std::int64_t requests,
                    std::size_t width) {
  lines.push_back({"ANSWERS FROM", kBold});
  for (const TopCount& answer : answers) {
    const double share = requests > 0 ? static_cast<double>(answer.count) / static_cast<double>(requests) : 0;
    lines.push_back({"  " + left(std::string(answer.name), 22) + right(grouped(answer.count), 10) +
                     right(rate(answer.rate), 10) + "  " + bar(share, bar_width(width)) +
                     right(std::to_string(std::lround(share * 100)) + " %", 6)});
  }
}

void append_quotas(std::vector<Line>& lines, std::span<const TopQuota> quotas, std::size_t width, std::int64_t now) {
  lines.push_back({quotas.empty() ? "QUOTA  none seen yet" : "QUOTA", kBold});
  const std::size_t wide = bar_width(width) > 12 ? bar_width(width) - 6 : bar_width(width);
  for (const TopQuota& quota : quotas) {
    const double share = quota.limit > 0 ? static_cast<double>(quota.remaining) / static_cast<double>(quota.limit) : 0;
    lines.push_back({"  " + left(quota.token, 10) + " " + left(quota.resource, 12) + " " + bar(share, wide) +
                         right(grouped(quota.remaining), 8) + " of " + left(grouped(quota.limit), 7) + "reset " +
                         span_of(quota.reset - now),
                     share > 0.5   ? kGreen
                     : share > 0.1 ? kYellow
                                   : kRed});
  }
}

void append_peers(std::vector<Line>& lines, std::string title, std::span<const TopPeer> peers, std::size_t width) {
  // Addresses take what the other columns leave, and are left out where that is too little to read.
  constexpr std::size_t kOthers = 16 + 8 + 8 + 10 + 10;
  const std::size_t address = width >= kOthers + 20 ? width - kOthers : 0;
  const auto row = [&](std::string first, const std::string& where, const std::string& role, const std::string& rtt,
                       const std::string& in, const std::string& out) {
    std::string line = address > 0 ? left(std::move(first), 16) + left(where, address - 1) + " " : std::move(first);
    if (address == 0) line = left(std::move(line), 16);
    return line + left(role, 7) + " " + right(rtt, 8) + right(in, 10) + right(out, 10);
  };
  lines.push_back({std::move(title), kBold});
  if (peers.empty()) return;
  lines.push_back({row("  peer", "address", "role", "rtt ms", "in", "out")});
  for (const TopPeer& peer : peers) {
    char rtt[32] = "-";
    if (peer.rtt_ms) std::snprintf(rtt, sizeof rtt, "%.2f", *peer.rtt_ms);
    lines.push_back(
        {row("  " + short_id(peer.id), peer.address, peer.role, rtt, octets(peer.bytes_in), octets(peer.bytes_out))});
  }
}

// As they go to the terminal: cut to its width, coloured if wanted.
std::vector<std::string> finished(std::vector<Line>& lines, std::size_t width, bool colours) {
  std::vector<std::string> out;
  for (Line& line : lines) {
    if (line.text.size() > width) line.text.resize(width);
    while (line.text.ends_with(' ')) line.text.pop_back();
    out.push_back(colours && !line.colour.empty() ? std::string(line.colour) + line.text + "\x1b[0m"
                                                  : std::move(line.text));
  }
  return out;
}

}  // namespace

std::string_view to_string(PeerOrder order) {
  switch (order) {
    case PeerOrder::Rtt: return "rtt";
    case PeerOrder::In: return "in";
    case PeerOrder::Out: return "out";
    case PeerOrder::Id: return "id";
  }
  return "";
}

bool TopModel::take_stats(std::string_view json) {
  const Json stats = Json::parse(json, nullptr, false);
  if (!stats.is_object() || !stats.contains("requests")) return false;
  const double uptime = number(stats, "uptime_seconds");
  // A node that was started anew counts from nothing.
  const double seconds = known_ && uptime > uptime_ ? uptime - uptime_ : 0;
  const auto next = [&](const char* member, std::string_view name, const TopCount& before) {
    return counted(name, integer(stats, member), before.count, seconds);
  };
  requests_ = next("requests", "requests", requests_);
  charged_ = next("charged_calls", "charged", charged_);
  saved_ = next("calls_saved", "saved", saved_);
  answers_.resize(kSources.size());
  for (std::size_t i = 0; i < kSources.size(); ++i)
    answers_[i] = next(kSources[i].member, kSources[i].name, answers_[i]);
  hit_rate_ = number(stats, "hit_rate");
  connected_ = integer(stats, "connected_peers");
  peer_id_ = text(stats, "peer_id");
  uptime_ = uptime;
  quotas_.clear();
  const auto rows = stats.find("quota");
  if (rows != stats.end() && rows->is_array()) {
    for (const Json& row : *rows)
      if (row.is_object())
        quotas_.push_back({text(row, "token"), text(row, "resource"), integer(row, "limit"), integer(row, "remaining"),
                           integer(row, "reset")});
  }
  // What is nearest to its end comes first.
  std::ranges::sort(quotas_, {}, [](const TopQuota& quota) {
    const double share =
        quota.limit > 0 ? static_cast<double>(quota.remaining) / static_cast<double>(quota.limit) : 2.0;
    return std::tuple(share, quota.resource, quota.token);
  });
  known_ = true;
  return true;
}

bool TopModel::take_peers(std::string_view json) {
  const Json view = Json::parse(json, nullptr, false);
  if (!view.is_object() || !view.contains("peers") || !view["peers"].is_array()) return false;
  why_no_mesh_ = text(view, "why_none");
  peers_.clear();
  for (const Json& row : view["peers"]) {
    if (!row.is_object()) continue;
    TopPeer peer{text(row, "peer_id"), text(row, "address"),     text(row, "role"),
                 std::nullopt,         integer(row, "bytes_in"), integer(row, "bytes_out")};
    if (row.contains("rtt_ms") && row["rtt_ms"].is_number()) peer.rtt_ms = row["rtt_ms"].get<double>();
    peers_.push_back(std::move(peer));
  }
  return true;
}

void TopModel::take_event(std::string_view name, std::string_view json) {
  const Json event = Json::parse(json, nullptr, false);
  if (!event.is_object()) return;
  std::string line = time_of_day(static_cast<std::time_t>(integer(event, "at") / 1000)) + "  ";
  if (name == "request") {
    char milliseconds[32];
    std::snprintf(milliseconds, sizeof milliseconds, "%8.1f ms", number(event, "seconds") * 1000);
    line += left(std::to_string(integer(event, "status")), 4) + left(text(event, "answer"), 12) + milliseconds + "  " +
            text(event, "method") + " " + text(event, "path");
  } else if (name == "peer") {
    line += "peer " + text(event, "peer") + " " + text(event, "state");
  } else if (name == "breaker") {
    line += "proofs " + text(event, "state") + " for " + text(event, "class") + " of " + text(event, "host");
  } else if (name == "store") {
    line += "disk store " + text(event, "state");
  } else if (name == "quota") {
    line += "quota of " + text(event, "resource") + ": " + grouped(integer(event, "remaining")) + " of " +
            grouped(integer(event, "limit")) + " left";
  } else {
    return;
  }
  events_.push_front(std::move(line));
  if (events_.size() > kEvents) events_.pop_back();
}

std::vector<TopPeer> TopModel::sorted_peers() const {
  std::vector<TopPeer> out = peers_;
  std::ranges::sort(out, {}, [this](const TopPeer& peer) {
    double key = 0;
    switch (order) {
      case PeerOrder::Rtt: key = peer.rtt_ms.value_or(1e9); break;
      case PeerOrder::In: key = -static_cast<double>(peer.bytes_in); break;
      case PeerOrder::Out: key = -static_cast<double>(peer.bytes_out); break;
      case PeerOrder::Id: break;
    }
    return std::tuple(key, peer.id);
  });
  if (reversed) std::ranges::reverse(out);
  return out;
}

std::vector<std::string> TopModel::draw(int columns, int rows, bool colours, WallTime now) const {
  const auto width = static_cast<std::size_t>(std::clamp(columns, 20, 400));
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::vector<Line> lines;
  const std::string head = "ghmesh " + where + (known_ ? "  up " + span_of(static_cast<std::int64_t>(uptime_)) : "") +
                           (peer_id_.empty() ? "" : "  " + short_id(peer_id_)) + "  " + std::to_string(connected_) +
                           (connected_ == 1 ? " peer" : " peers") + (paused ? "  PAUSED" : "");
  const std::string clock = time_of_day(seconds);
  lines.push_back({left(head, width - std::min(width, clock.size() + 1)) + " " + clock, kBold});
  if (trouble) lines.push_back({*trouble, kRed});
  if (known_) {
    char hits[32];
    std::snprintf(hits, sizeof hits, "%.1f %%", hit_rate_ * 100);
    lines.push_back({grouped(requests_.count) + " requests  " + rate(requests_.rate) + "   charged " +
                     grouped(charged_.count) + "   saved " + grouped(saved_.count) + "   hit rate " + hits});
  }
  append_answers(lines, answers_, requests_.count, width);

  // Quotas get a quarter of what is left, peers a third, and what happens the rest.
  const std::size_t room = rows > 0 ? static_cast<std::size_t>(rows) : ~std::size_t{0};
  const std::size_t free = room > lines.size() + 4 ? room - lines.size() - 4 : 0;
  append_quotas(lines, std::span(quotas_).first(std::min(quotas_.size(), std::max(kFewQuotas, free / 4))), width,
                static_cast<std::int64_t>(seconds));
  if (!why_no_mesh_.empty()) {
    lines.push_back({"PEERS  no mesh: " + why_no_mesh_, kBold});
  } else {
    const std::vector<TopPeer> peers = sorted_peers();
    append_peers(lines, "PEERS by " + std::string(to_string(order)) + (reversed ? ", reversed" : ""),
                 std::span(peers).first(std::min(peers.size(), std::max(kFewPeers, free / 3))), width);
  }
  if (rows > 0) {
    lines.push_back({"NOW", kBold});
    for (auto event = events_.begin(); event != events_.end() && lines.size() + 1 < room; ++event)
      lines.push_back({"  " + *event});
    lines.resize(room - 1);
    lines.push_back({"q quit  s S sort  r reverse  p pause  space now", kBold});
  }
  return finished(lines, width, colours);
}

}  // namespace ghmesh::cli
