// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/endpoint.hpp"

// Listening sockets that a program finds open when it starts, so that they outlive it: systemd's socket activation
// (sd_listen_fds(3)), and the keeper of `ghmesh init`, which replaces a node without one refused connection. They are
// the descriptors from 3 on; LISTEN_PID says for whom, LISTEN_FDS how many, LISTEN_FDNAMES names them, joined by
// colons.

namespace ghmesh::io {

// Descriptors handed over begin here.
constexpr int kFirstInherited = 3;
// systemd names what has no FileDescriptorName= after its unit; a node has a handful of listeners.
constexpr int kMaxInherited = 64;

struct InheritedSocket {
  int fd = -1;
  std::string name;                  // empty if nobody named it
  std::optional<Endpoint> endpoint;  // TCP
  std::string path;                  // unix; empty for an unnamed or abstract one
  bool local() const { return !endpoint.has_value(); }
};

// What the three variables promise process self; empty if they are unset or meant for another process. The descriptors
// are non-blocking and close-on-exec from here on. Malformed: the variables contradict themselves, or a descriptor is
// no listening stream socket.
Result<std::vector<InheritedSocket>> take_inherited(pid_t self, std::optional<std::string_view> listen_pid,
                                                    std::optional<std::string_view> listen_fds,
                                                    std::optional<std::string_view> listen_fdnames,
                                                    int first = kFirstInherited);

}  // namespace ghmesh::io
