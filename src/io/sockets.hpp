// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "io/epoll_loop.hpp"
#include "io/network.hpp"
#include "io/work_pool.hpp"

namespace ghmesh::io {

// The machine's sockets: TCP with TCP_NODELAY and keep-alive. Names are resolved by the system's resolver on the pool's
// threads; answers are kept for 30 s, and the last good one for 10 minutes should the resolver fail.
class SocketNetwork final : public Network {
 public:
  // name_server: who is asked for TXT records (IPv4); by default whom the system asks.
  SocketNetwork(EpollLoop& loop, WorkPool& pool, std::optional<Endpoint> name_server = std::nullopt)
      : loop_(loop), pool_(pool), name_server_(name_server) {}

  Loop& loop() const override { return loop_; }
  Task<Result<std::unique_ptr<Stream>>> dial(Endpoint to) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at) override;
  Task<Result<std::vector<IpAddress>>> resolve(std::string host) override;
  Task<Result<std::vector<std::string>>> resolve_text(std::string name) override;
  std::vector<IpAddress> interface_addresses() const override;

 private:
  struct Answer {
    std::vector<IpAddress> addresses;
    TimePoint at;
  };
  EpollLoop& loop_;
  WorkPool& pool_;
  std::optional<Endpoint> name_server_;
  std::map<std::string, Answer, std::less<>> answers_;  // at most 256
};

// A unix socket of mode 0600. A stale socket file that nobody listens on is replaced; a live one is a Conflict. The
// file is removed when the listener is destroyed. Paths over 107 bytes are refused with the bound in the message.
Result<std::unique_ptr<Listener>> listen_unix(EpollLoop& loop, const std::string& path);
Task<Result<std::unique_ptr<Stream>>> dial_unix(EpollLoop& loop, std::string path);

// A stream of a connected or accepted non-blocking stream socket (socket activation, socketpair). Takes ownership.
std::unique_ptr<Stream> make_socket_stream(EpollLoop& loop, int fd);
// A listener over a listening non-blocking socket that someone else made and may go on holding (inherited.hpp). Takes
// ownership of the descriptor, not of the socket: closing leaves whoever else holds it listening.
std::unique_ptr<Listener> make_socket_listener(EpollLoop& loop, int fd);

// Listening, non-blocking, close-on-exec sockets as descriptors, for handing over. The caller closes them; a unix
// socket's file (mode 0600) stays.
Result<int> open_listening(const Endpoint& at);
Result<int> open_listening(const std::string& path);

}  // namespace ghmesh::io
