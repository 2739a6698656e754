// SPDX-License-Identifier: Apache-2.0
#include "demo_live.hpp"

#include <algorithm>

namespace ghmesh::cli {

namespace {

constexpr auto kBetween = std::chrono::milliseconds(100);
constexpr std::size_t kBar = 40;
// More would not fit a small terminal.
constexpr std::size_t kMostBars = 12;

std::string bar(std::size_t done, std::size_t of, bool gone) {
  const std::size_t full = of == 0 ? kBar : done * kBar / of;
  return "[" + std::string(full, '#') + std::string(kBar - full, gone ? ' ' : '.') + "] " +
         (gone ? "killed" : std::to_string(done) + "/" + std::to_string(of));
}

}  // namespace

void LiveView::draw(const std::string& text) {
  clear();
  err_ << text << std::flush;
  lines_ = static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

void LiveView::clear() {
  if (lines_ > 0) err_ << "\x1b[" << lines_ << "A\x1b[J" << std::flush;
  lines_ = 0;
}

void LiveView::say(const std::string& line) {
  if (live_) draw(line + "\n");
}

void LiveView::show(std::string_view title, const Plan& plan, const Round& round, DemoGithub& github) {
  if (!live_ || clock_.now() < next_) return;
  next_ = clock_.now() + kBetween;
  const Spent spent = github.spent();
  std::string text(title);
  text += "\n";
  for (std::size_t i = 0; i < std::min(round.clients.size(), kMostBars); ++i)
    text += "  runner " + std::to_string(i + 1) + (i + 1 < 10 ? "  " : " ") +
            bar(round.clients[i].done, plan.paths.size(), round.clients[i].gone) + "\n";
  text += "  charged " + std::to_string(spent.charged) + ", free " + std::to_string(spent.free_304s) + ", from peers " +
          std::to_string(round.from_peers) + "\n";
  draw(text);
}

}  // namespace ghmesh::cli
