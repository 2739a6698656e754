// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>
#include <string>

#include "base/clock.hpp"
#include "demo_github.hpp"
#include "demo_play.hpp"

// What is going on, while it goes on: a bar per client on a terminal, nothing elsewhere. It is gone when it is done.

namespace ghmesh::cli {

class LiveView {
 public:
  // live: err is a terminal.
  LiveView(std::ostream& err, bool live) : err_(err), live_(live) {}
  ~LiveView() { clear(); }
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;

  void say(const std::string& line);
  // At most ten times a second.
  void show(std::string_view title, const Plan& plan, const Round& round, DemoGithub& github);
  void clear();

 private:
  void draw(const std::string& text);

  std::ostream& err_;
  const bool live_;
  std::size_t lines_ = 0;
  TimePoint next_{};
  SystemClock clock_;
};

}  // namespace ghmesh::cli
