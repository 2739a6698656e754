// SPDX-License-Identifier: Apache-2.0
#include "io/inherited.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>

namespace ghmesh::io {

namespace {

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t colon = text.find(':');
    out.emplace_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return out;
    text.remove_prefix(colon + 1);
  }
}

int option_of(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

Result<InheritedSocket> describe(int fd, std::string name) {
  const std::string which = "descriptor " + std::to_string(fd) + (name.empty() ? "" : " (" + name + ")");
  if (option_of(fd, SO_TYPE) != SOCK_STREAM || option_of(fd, SO_ACCEPTCONN) != 1)
    return fail(ErrorCode::Malformed, "LISTEN_FDS: " + which + " is not a listening stream socket");
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return fail_errno(errno, which);
  InheritedSocket out{.fd = fd, .name = std::move(name), .endpoint = std::nullopt, .path = {}};
  if (storage.ss_family == AF_UNIX) {
    const auto& address = reinterpret_cast<const sockaddr_un&>(storage);
    if (size > offsetof(sockaddr_un, sun_path) && address.sun_path[0] != '\0') {
      const std::string_view path(address.sun_path, size - offsetof(sockaddr_un, sun_path));
      out.path = path.substr(0, path.find('\0'));
    }
  } else if (const auto endpoint = Endpoint::from_sockaddr(storage)) {
    out.endpoint = *endpoint;
  } else {
    return fail(ErrorCode::Malformed, "LISTEN_FDS: " + which + " is neither TCP nor a unix socket");
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return out;
}

}  // namespace

Result<std::vector<InheritedSocket>> take_inherited(pid_t self, std::optional<std::string_view> listen_pid,
                                                    std::optional<std::string_view> listen_fds,
                                                    std::optional<std::string_view> listen_fdnames, int first) {
  std::vector<InheritedSocket> out;
  if (!listen_pid || !listen_fds) return out;
  const auto pid = number<pid_t>(*listen_pid);
  const auto count = number<int>(*listen_fds);
  if (!pid || !count || *count < 0 || *count > kMaxInherited)
    return fail(ErrorCode::Malformed, "LISTEN_PID '" + std::string(*listen_pid) + "', LISTEN_FDS '" +
                                          std::string(*listen_fds) + "': not what sd_listen_fds(3) describes");
  if (*pid != self) return out;
  std::vector<std::string> names = listen_fdnames ? split(*listen_fdnames) : std::vector<std::string>();
  if (listen_fdnames && names.size() != static_cast<std::size_t>(*count) && *count > 0)
    return fail(ErrorCode::Malformed, "LISTEN_FDNAMES names " + std::to_string(names.size()) +
                                          " sockets, LISTEN_FDS says " + std::to_string(*count));
  names.resize(static_cast<std::size_t>(*count));
  for (int i = 0; i < *count; ++i) {
    Result<InheritedSocket> one = describe(first + i, std::move(names[static_cast<std::size_t>(i)]));
    if (!one) return std::unexpected(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace ghmesh::io
