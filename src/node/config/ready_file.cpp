// SPDX-License-Identifier: Apache-2.0
#include "node/config/ready_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace ghmesh::node::config {

namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  if constexpr (std::is_same_v<T, io::Endpoint>) {
    return value ? Json(io::to_string(*value)) : Json(nullptr);
  } else {
    return value ? Json(*value) : Json(nullptr);
  }
}

std::unexpected<Error> wrong(std::string_view member) {
  return fail(ErrorCode::Malformed, "ready file: " + std::string(member) + " is not what it should be");
}

Result<std::optional<std::string>> text_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) return wrong(name);
  return found->get<std::string>();
}

Result<std::optional<io::Endpoint>> endpoint_member(const Json& object, const char* name) {
  Result<std::optional<std::string>> text = text_member(object, name);
  if (!text) return std::unexpected(std::move(text.error()));
  if (!*text) return std::nullopt;
  const auto endpoint = io::Endpoint::parse(**text);
  if (!endpoint) return wrong(name);
  return endpoint;
}

Result<> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "writing");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return fail_errno(errno, "syncing");
  return {};
}

}  // namespace

std::string format_ready(const Ready& ready) {
  const Json out{{"listen", or_null(ready.listen)},   {"socket", or_null(ready.socket)},
                 {"admin", or_null(ready.admin)},     {"p2p", ready.p2p},
                 {"peer_id", or_null(ready.peer_id)}, {"pid", ready.pid}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Ready> parse_ready(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) return fail(ErrorCode::Malformed, "ready file: not a JSON object");
  Ready out;
  auto listen = endpoint_member(object, "listen");
  auto admin = endpoint_member(object, "admin");
  auto socket = text_member(object, "socket");
  auto peer_id = text_member(object, "peer_id");
  if (!listen) return std::unexpected(std::move(listen.error()));
  if (!admin) return std::unexpected(std::move(admin.error()));
  if (!socket) return std::unexpected(std::move(socket.error()));
  if (!peer_id) return std::unexpected(std::move(peer_id.error()));
  out.listen = *listen;
  out.admin = *admin;
  out.socket = std::move(*socket);
  out.peer_id = std::move(*peer_id);
  if (const auto p2p = object.find("p2p"); p2p != object.end() && !p2p->is_null()) {
    if (!p2p->is_array()) return wrong("p2p");
    for (const Json& address : *p2p) {
      if (!address.is_string()) return wrong("p2p");
      out.p2p.push_back(address.get<std::string>());
    }
  }
  if (const auto pid = object.find("pid"); pid != object.end()) {
    if (!pid->is_number_integer()) return wrong("pid");
    out.pid = pid->get<std::int64_t>();
  }
  return out;
}

Result<> write_ready_file(const std::string& path, const Ready& ready) {
  const std::string beside = path + ".new." + std::to_string(::getpid());
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail_errno(errno, "ready file " + beside);
  Result<> done = write_all(fd, format_ready(ready));
  ::close(fd);
  if (done && std::rename(beside.c_str(), path.c_str()) != 0) done = fail_errno(errno, "renaming");
  if (done) return {};
  ::unlink(beside.c_str());
  return std::unexpected(std::move(done.error()).with_context("ready file " + path));
}

}  // namespace ghmesh::node::config
