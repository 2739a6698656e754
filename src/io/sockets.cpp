// SPDX-License-Identifier: Apache-2.0
#include "io/sockets.hpp"

#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>

namespace ghmesh::io {
namespace {

constexpr int kBacklog = 1024;
constexpr std::size_t kMaxAddresses = 16;
constexpr std::size_t kMaxAnswers = 256;
constexpr auto kAnswerFresh = 30s;
constexpr auto kAnswerLastGood = 600s;

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

// Waits until a descriptor may be tried again.
class ReadyAwaiter final : public ResumeWaiter {
 public:
  ReadyAwaiter(Descriptor& descriptor, bool for_reading) : descriptor_(descriptor), for_reading_(for_reading) {}
  bool await_ready() const noexcept { return for_reading_ ? descriptor_.readable() : descriptor_.writable(); }
  void await_suspend(std::coroutine_handle<> handle) {
    coroutine = handle;
    if (for_reading_) {
      descriptor_.wait_readable(*this);
    } else {
      descriptor_.wait_writable(*this);
    }
  }
  void await_resume() const noexcept {}

 private:
  Descriptor& descriptor_;
  bool for_reading_;
};

// One part does not need the list: the system reads and checks that for a twentieth of a send's time.
ssize_t write_parts(int fd, std::span<const iovec> parts) {
  if (parts.size() == 1) return ::send(fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = std::min<std::size_t>(parts.size(), IOV_MAX);
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

class SocketStream final : public Stream {
 public:
  SocketStream(EpollLoop& loop, int fd) : Stream(loop), descriptor_(loop, fd) {}

  IoStatus try_read(MutableByteView out) override {
    if (failure_) return {IoStatus::Failed, 0};
    if (!descriptor_.readable()) return {IoStatus::WouldBlock, 0};
    if (out.empty()) return {IoStatus::Done, 0};
    const ssize_t count = ::recv(descriptor_.fd(), out.data(), out.size(), 0);
    if (count > 0) {
      const auto bytes = static_cast<std::size_t>(count);
      if (bytes < out.size()) descriptor_.set_drained();
      return {IoStatus::Done, bytes};
    }
    if (count == 0) return {IoStatus::End, 0};
    return on_error("reading from a socket", &Descriptor::set_empty);
  }

  IoStatus try_write(std::span<const iovec> parts) override {
    if (failure_) return {IoStatus::Failed, 0};
    if (!descriptor_.writable()) return {IoStatus::WouldBlock, 0};
    const ssize_t count = write_parts(descriptor_.fd(), parts);
    if (count >= 0) return {IoStatus::Done, static_cast<std::size_t>(count)};
    return on_error("writing to a socket", &Descriptor::set_full);
  }

  void wait_readable(Waiter& waiter) override {
    if (failure_) return loop().make_ready(waiter);
    descriptor_.wait_readable(waiter);
  }
  void wait_writable(Waiter& waiter) override {
    if (failure_) return loop().make_ready(waiter);
    descriptor_.wait_writable(waiter);
  }

  void shutdown_write() override { ::shutdown(descriptor_.fd(), SHUT_WR); }
  void abort(Error why) override {
    if (failure_) return;
    failure_ = std::move(why);
    ::shutdown(descriptor_.fd(), SHUT_RDWR);
    descriptor_.wake_all();
  }
  Error error() const override { return failure_.value_or(Error{}); }

  // Until a connection that is being made has been made or has failed.
  ReadyAwaiter connected() {
    descriptor_.set_full();
    return ReadyAwaiter(descriptor_, false);
  }

  std::optional<Endpoint> remote_endpoint() const override { return name_of(&::getpeername); }
  std::optional<Endpoint> local_endpoint() const override { return name_of(&::getsockname); }

 private:
  IoStatus on_error(const char* doing, void (Descriptor::*blocked)()) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      (descriptor_.*blocked)();
      return {IoStatus::WouldBlock, 0};
    }
    if (errno == EINTR) return {IoStatus::WouldBlock, 0};
    failure_ = fail_errno(errno, doing).error();
    failure_->fault = Fault::Peer;
    return {IoStatus::Failed, 0};
  }
  std::optional<Endpoint> name_of(int (*get)(int, sockaddr*, socklen_t*)) const {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (get(descriptor_.fd(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
    return Endpoint::from_sockaddr(storage);
  }

  Descriptor descriptor_;
  std::optional<Error> failure_;
};

class SocketListener final : public Listener {
 public:
  // shared: another process holds the same socket and goes on listening after close().
  SocketListener(EpollLoop& loop, int fd, std::string unlink_path = {}, bool shared = false)
      : loop_(loop),
        descriptor_(std::make_unique<Descriptor>(loop, fd, shared)),
        unlink_path_(std::move(unlink_path)),
        shared_(shared) {}
  ~SocketListener() override { close(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    while (true) {
      if (closed_) co_return fail(ErrorCode::Closed, "the listener is closed");
      const int fd = ::accept4(descriptor_->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        co_return std::make_unique<SocketStream>(loop_, fd);
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        descriptor_->set_empty();
        co_await ReadyAwaiter(*descriptor_, true);
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // Out of descriptors: those who wait in the backlog stay there until some connection ends.
        co_await loop_.sleep_for(50ms);
      } else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
        co_return fail_errno(errno, "accepting a connection");
      }
    }
  }
  std::optional<Endpoint> local_endpoint() const override {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(descriptor_->fd(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
    return Endpoint::from_sockaddr(storage);
  }
  void close() override {
    if (closed_) return;
    closed_ = true;
    if (!shared_) ::shutdown(descriptor_->fd(), SHUT_RDWR);
    descriptor_->wake_all();
    if (!unlink_path_.empty()) ::unlink(unlink_path_.c_str());
  }

 private:
  EpollLoop& loop_;
  std::unique_ptr<Descriptor> descriptor_;
  std::string unlink_path_;
  bool shared_;
  bool closed_ = false;
};

Task<Result<std::unique_ptr<Stream>>> connect(EpollLoop& loop, int fd, sockaddr_storage to, socklen_t size,
                                              std::string name) {
  const bool pending = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), size) != 0;
  if (pending && errno != EINPROGRESS) {
    auto failure = fail_errno(errno, "connecting to " + name);
    ::close(fd);
    co_return failure;
  }
  // Watched only from here on: epoll reports a socket that is not yet connecting as hung up.
  auto stream = std::make_unique<SocketStream>(loop, fd);
  if (pending) {
    co_await stream->connected();
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) co_return fail_errno(error, "connecting to " + name);
  }
  co_return stream;
}

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos) {
    return fail(ErrorCode::Limit,
                "socket path '" + path + "' must have 1 to " + std::to_string(sizeof address.sun_path - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// A socket file that refuses connections is a leftover of a dead process.
bool is_stale_socket(const sockaddr_un& address) {
  struct stat info{};
  if (::lstat(address.sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool stale = result != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return stale;
}

Result<std::vector<IpAddress>> resolve_blocking(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return fail(ErrorCode::NotFound, "resolving '" + host + "': " + ::gai_strerror(error), Fault::Local, Retry::Later);
  }
  std::vector<IpAddress> out;
  for (const addrinfo* one = list; one != nullptr && out.size() < kMaxAddresses; one = one->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, one->ai_addr, std::min<std::size_t>(one->ai_addrlen, sizeof storage));
    if (const auto endpoint = Endpoint::from_sockaddr(storage)) out.push_back(endpoint->address);
  }
  ::freeaddrinfo(list);
  if (out.empty()) return fail(ErrorCode::NotFound, "resolving '" + host + "': no addresses");
  return out;
}

}  // namespace

std::unique_ptr<Stream> make_socket_stream(EpollLoop& loop, int fd) { return std::make_unique<SocketStream>(loop, fd); }
std::unique_ptr<Listener> make_socket_listener(EpollLoop& loop, int fd) {
  return std::make_unique<SocketListener>(loop, fd, std::string(), true);
}

Result<int> open_listening(const Endpoint& at) {
  sockaddr_storage storage;
  const socklen_t size = at.to_sockaddr(storage);
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno(errno, "opening a socket");
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (at.address.v6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&storage), size) != 0 || ::listen(fd, kBacklog) != 0) {
    auto failure = fail_errno(errno, "listening on " + to_string(at));
    ::close(fd);
    return failure;
  }
  return fd;
}

Result<int> open_listening(const std::string& path) {
  const Result<sockaddr_un> address = unix_address(path);
  if (!address) return std::unexpected(address.error());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno(errno, "opening a unix socket");
  if (is_stale_socket(*address)) ::unlink(path.c_str());
  // The mode is narrowed before the name exists, so that nobody can connect in between.
  ::fchmod(fd, 0600);
  const mode_t before = ::umask(0177);
  const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int error = errno;
  ::umask(before);
  if (bound != 0 || ::listen(fd, kBacklog) != 0) {
    auto failure = fail_errno(bound != 0 ? error : errno, "listening on " + path);
    ::close(fd);
    return failure;
  }
  return fd;
}

Task<Result<std::unique_ptr<Stream>>> SocketNetwork::dial(Endpoint to) {
  sockaddr_storage storage;
  const socklen_t size = to.to_sockaddr(storage);
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return fail_errno(errno, "opening a socket");
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  co_return co_await connect(loop_, fd, storage, size, to_string(to));
}

Result<std::unique_ptr<Listener>> SocketNetwork::listen(const Endpoint& at) {
  const Result<int> fd = open_listening(at);
  if (!fd) return std::unexpected(fd.error());
  return std::make_unique<SocketListener>(loop_, *fd);
}

Task<Result<std::vector<IpAddress>>> SocketNetwork::resolve(std::string host) {
  if (const auto literal = IpAddress::parse(host)) co_return std::vector{*literal};
  if (const auto known = answers_.find(host); known != answers_.end() && loop_.now() - known->second.at < kAnswerFresh)
    co_return known->second.addresses;
  Result<std::vector<IpAddress>> answer = co_await pool_.run(loop_, [host] { return resolve_blocking(host); });
  if (answer) {
    if (answers_.size() >= kMaxAnswers) answers_.clear();
    answers_.insert_or_assign(host, Answer{*answer, loop_.now()});
  } else if (const auto known = answers_.find(host);
             known != answers_.end() && loop_.now() - known->second.at < kAnswerLastGood) {
    co_return known->second.addresses;
  }
  co_return answer;
}

std::vector<IpAddress> SocketNetwork::interface_addresses() const {
  std::vector<IpAddress> out;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, one->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    if (const auto endpoint = Endpoint::from_sockaddr(storage)) out.push_back(endpoint->address);
  }
  ::freeifaddrs(list);
  std::sort(out.begin(), out.end(), [](const IpAddress& a, const IpAddress& b) {
    return std::tuple(a.is_loopback(), a.v6, a) < std::tuple(b.is_loopback(), b.v6, b);
  });
  return out;
}

Result<std::unique_ptr<Listener>> listen_unix(EpollLoop& loop, const std::string& path) {
  const Result<int> fd = open_listening(path);
  if (!fd) return std::unexpected(fd.error());
  return std::make_unique<SocketListener>(loop, *fd, path);
}

Task<Result<std::unique_ptr<Stream>>> dial_unix(EpollLoop& loop, std::string path) {
  const Result<sockaddr_un> address = unix_address(path);
  if (!address) co_return std::unexpected(address.error());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return fail_errno(errno, "opening a unix socket");
  sockaddr_storage storage{};
  std::memcpy(&storage, &*address, sizeof *address);
  co_return co_await connect(loop, fd, storage, sizeof *address, path);
}

}  // namespace ghmesh::io
