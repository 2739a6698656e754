// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// A terminal taken over for a live view: other screen, no echo, no cursor; given back as it was on any end but SIGKILL,
// crashes included. One per process. Main thread, but for read_key().

namespace ghmesh::cli {

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};

class Terminal {
 public:
  // Unsupported: standard input or output is none.
  static Result<Terminal> open();
  Terminal(Terminal&& other) noexcept : open_(std::exchange(other.open_, false)) {}
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  static bool is_there();
  TerminalSize size() const;
  // Lines from the top; the rest is blank. No line is longer than the terminal is wide.
  void show(const std::vector<std::string>& lines);
  // Gives it back for as long as the process is stopped (SIGTSTP), and takes it again.
  void suspend();

 private:
  Terminal() = default;
  bool open_ = true;
};

// Waits for one octet of standard input; negative: its end. Any thread.
int read_key();

}  // namespace ghmesh::cli
