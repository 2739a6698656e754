// SPDX-License-Identifier: Apache-2.0
// Load at a fixed rate, for latencies below saturation: wrk has no rate, and a client that waits for an answer before
// it sends the next request leaves out of its figures the very requests that a slow server would have delayed.
//
//   paced_load PORT CONNECTIONS RATE SECONDS FILE
//
// FILE holds whole request heads, one after the other, used in turn. Request n is due n / RATE seconds after the start;
// it takes a connection that is free, or the first that becomes free, and its latency counts from when it was due. Busy
// on its core all the time, so that no timer's slack is measured. Prints
//   RESULT requests p50_us p99_us max_us errors sent_late
// where sent_late counts requests for which no connection was free when they were due.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Connection {
  int fd = -1;
  Clock::time_point due;
  std::string head;  // of the answer, until it is complete
  bool in_body = false;
  std::size_t body_left = 0;
};

std::vector<std::string> read_heads(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n\r\n", at);
    if (end == std::string::npos) break;
    out.push_back(text.substr(at, end + 4 - at));
    at = end + 4;
  }
  return out;
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("connect");
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

// The Content-Length of a complete head that is a 200; nothing else is expected here.
bool body_length(std::string_view head, std::size_t& length) {
  if (!head.starts_with("HTTP/1.1 200 ")) return false;
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    constexpr std::string_view kName = "content-length:";
    const std::string_view line = head.substr(at + 2, kName.size());
    if (!std::equal(line.begin(), line.end(), kName.begin(), kName.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; }))
      continue;
    length = std::strtoull(head.data() + at + 2 + kName.size(), nullptr, 10);
    return true;
  }
  return false;
}

class Load {
 public:
  Load(std::uint16_t port, std::size_t connections, double rate, double seconds, std::vector<std::string> heads)
      : heads_(std::move(heads)), rate_(rate), total_(static_cast<std::size_t>(rate * seconds)), pool_(connections) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    for (Connection& one : pool_) {
      one.fd = connect_to(port);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &one;
      if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd, &event) != 0) die("epoll_ctl");
      free_.push_back(&one);
    }
    latencies_.reserve(total_);
  }

  void run() {
    const Clock::time_point start = Clock::now();
    std::size_t next = 0;
    const Clock::time_point give_up = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                                                  static_cast<double>(total_) / rate_ + 5));
    while (latencies_.size() + errors_ < total_) {
      const Clock::time_point now = Clock::now();
      if (now > give_up) break;
      for (; next < total_; ++next) {
        const Clock::time_point due = start + std::chrono::duration_cast<Clock::duration>(
                                                  std::chrono::duration<double>(static_cast<double>(next) / rate_));
        if (due > now) break;
        if (free_.empty()) ++late_;
        waiting_.push_back(due);
      }
      send_due();
      receive();
    }
    errors_ = total_ - latencies_.size();
  }

  void print() {
    if (latencies_.empty()) {
      std::puts("RESULT 0 0 0 0 1 0");
      return;
    }
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double part) {
      return latencies_[static_cast<std::size_t>(part * static_cast<double>(latencies_.size() - 1))];
    };
    std::printf("RESULT %zu %.1f %.1f %.1f %zu %zu\n", latencies_.size(), at(0.5), at(0.99), at(1), errors_, late_);
  }

 private:
  void send_due() {
    while (!waiting_.empty() && !free_.empty()) {
      Connection& one = *free_.front();
      free_.pop_front();
      one.due = waiting_.front();
      waiting_.pop_front();
      one.head.clear();
      one.in_body = false;
      const std::string& head = heads_[turn_++ % heads_.size()];
      if (::send(one.fd, head.data(), head.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(head.size())) die("send");
    }
  }

  void receive() {
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) take(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
  }

  void take(Connection& one) {
    static std::array<char, 65536> room;
    const ssize_t got = ::recv(one.fd, room.data(), room.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) die("the server closed a connection");
    std::string_view text(room.data(), static_cast<std::size_t>(got));
    if (!one.in_body) {
      one.head.append(text);
      const std::size_t end = one.head.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (!body_length(std::string_view(one.head).substr(0, end + 2), one.body_left)) {
        std::fprintf(stderr, "not the answer that was expected:\n%s\n", one.head.substr(0, end).c_str());
        std::exit(1);
      }
      one.in_body = true;
      text = std::string_view(one.head).substr(end + 4);
    }
    one.body_left -= std::min(one.body_left, text.size());
    if (one.body_left > 0) return;
    latencies_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - one.due).count());
    free_.push_back(&one);
  }

  std::vector<std::string> heads_;
  double rate_;
  std::size_t total_;
  std::vector<Connection> pool_;
  std::deque<Connection*> free_;
  std::deque<Clock::time_point> waiting_;  // due, but no connection was free
  std::vector<double> latencies_;
  std::size_t turn_ = 0;
  std::size_t late_ = 0;
  std::size_t errors_ = 0;
  int epoll_ = -1;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    std::fputs("usage: paced_load PORT CONNECTIONS RATE SECONDS FILE\n", stderr);
    return 2;
  }
  std::vector<std::string> heads = read_heads(arguments[5]);
  const double rate = std::atof(arguments[3]);
  const double seconds = std::atof(arguments[4]);
  const auto connections = static_cast<std::size_t>(std::max(1, std::atoi(arguments[2])));
  if (heads.empty() || rate <= 0 || seconds <= 0) {
    std::fputs("paced_load: FILE needs a whole request head; RATE and SECONDS are positive\n", stderr);
    return 2;
  }
  Load load(static_cast<std::uint16_t>(std::atoi(arguments[1])), connections, rate, seconds, std::move(heads));
  load.run();
  load.print();
}
