// SPDX-License-Identifier: Apache-2.0
// ECMA-48 and xterm's alternate screen, which every terminal in use and tmux know.
#include "terminal.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace ghmesh::cli {

namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?25h\x1b[?1049l";
constexpr std::array kFatal{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};

// For the signal handler, so of static life.
termios before;

// Only what a signal handler may call.
void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // the terminal has gone
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void give_back() {
  write_all(kLeave);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

void on_fatal(int number) {
  give_back();
  ::signal(number, SIG_DFL);
  ::raise(number);
}

void take_over() {
  termios raw = before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  write_all(kEnter);
}

}  // namespace

bool Terminal::is_there() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

Result<Terminal> Terminal::open() {
  if (!is_there() || ::tcgetattr(STDIN_FILENO, &before) != 0)
    return fail(ErrorCode::Unsupported, "standard input and output are no terminal");
  for (const int number : kFatal) ::signal(number, on_fatal);
  take_over();
  return Terminal();
}

Terminal::~Terminal() {
  if (!open_) return;
  give_back();
  for (const int number : kFatal) ::signal(number, SIG_DFL);
}

TerminalSize Terminal::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {};
  return {window.ws_col, window.ws_row};
}

void Terminal::show(const std::vector<std::string>& lines) {
  std::string out = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\r\n";
    out += lines[i] + "\x1b[0m\x1b[K";
  }
  write_all(out + "\x1b[J");
}

void Terminal::suspend() {
  give_back();
  ::raise(SIGSTOP);
  take_over();
}

int read_key() {
  unsigned char key = 0;
  ssize_t count = 0;
  do {
    count = ::read(STDIN_FILENO, &key, 1);
  } while (count < 0 && errno == EINTR);
  return count == 1 ? key : -1;
}

}  // namespace ghmesh::cli
