// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <array>

namespace ghmesh::mcp {
namespace {

constexpr std::array<std::string_view, 8> kLevels{"debug", "info",     "notice", "warning",
                                                  "error", "critical", "alert",  "emergency"};

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < kLevels.size(); ++i)
    if (kLevels[i] == text) return static_cast<LogLevel>(i);
  return std::nullopt;
}

std::string_view to_string(LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; }

void Outbox::push(std::string text) {
  if (ended_) return;
  bytes_ += text.size();
  items_.push_back({++last_, std::move(text)});
  // The newest stays whatever its size: it may be the answer.
  while (items_.size() > 1 && (items_.size() > limits_.stream_messages || bytes_ > limits_.stream_bytes)) {
    bytes_ -= items_.front().text.size();
    items_.pop_front();
  }
  changed.set();
}

void Outbox::end() {
  ended_ = true;
  changed.set();
}

const Outbox::Item* Outbox::next(std::uint64_t after) const {
  if (items_.empty() || items_.back().number <= after) return nullptr;
  if (after < items_.front().number) return &items_.front();
  return &items_[static_cast<std::size_t>(after + 1 - items_.front().number)];
}

void Call::progress(double done, std::optional<double> total, std::string message) const {
  if (progress_token.is_null()) return;
  Json params{{"progressToken", progress_token}, {"progress", done}};
  if (total) params["total"] = *total;
  params["message"] = std::move(message);
  out->push(format_notification("notifications/progress", params));
}

Session::Session(io::Loop& loop, const Limits& limits, std::string name)
    : id(std::move(name)), standalone(std::make_shared<Outbox>(loop, limits)), limits_(limits) {
  streams.emplace(0, standalone);
}

Session::~Session() { close(); }

std::uint64_t Session::open_stream(std::shared_ptr<Outbox> out) {
  std::size_t ended = 0;
  for (auto stream = streams.rbegin(); stream != streams.rend(); ++stream)
    if (stream->second->ended()) ++ended;
  for (auto stream = streams.begin(); stream != streams.end() && ended > limits_.ended_streams;) {
    if (stream->second->ended()) {
      --ended;
      stream = streams.erase(stream);
    } else {
      ++stream;
    }
  }
  streams.emplace(next_stream_, std::move(out));
  return next_stream_++;
}

void Session::close() {
  closed = true;
  for (auto& [key, call] : calls) call->out->end();
  calls.clear();
  subscriptions.clear();
  for (auto& [number, stream] : streams) stream->end();
}

}  // namespace ghmesh::mcp
