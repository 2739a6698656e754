// SPDX-License-Identifier: Apache-2.0
#include "name_text.hpp"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include "io/sockets.hpp"

namespace ghmesh::io {

namespace {

// A peer's address is a hint; who waits for a name server longer than this has other contacts by then.
constexpr int kTrySeconds = 2;
constexpr int kTries = 2;
constexpr std::size_t kAnswerBytes = 64u << 10;

// RFC 1035 §3.3.14: one or more strings of a length octet each.
std::string joined_strings(ByteView data) {
  std::string text;
  while (!data.empty()) {
    const std::size_t length = std::min<std::size_t>(data[0], data.size() - 1);
    text.append(as_text(data.subspan(1, length)));
    if (text.size() > kMaxTextBytes) return {};
    data = data.subspan(1 + length);
  }
  return text;
}

}  // namespace

Result<std::vector<std::string>> parse_text_answer(ByteView packet) {
  ns_msg message;
  if (packet.size() > kAnswerBytes || ns_initparse(packet.data(), static_cast<int>(packet.size()), &message) != 0)
    return fail(ErrorCode::Malformed, "the answer is no DNS message", Fault::Peer);
  std::vector<std::string> out;
  const int count = std::min<int>(ns_msg_count(message, ns_s_an), 4 * kMaxTexts);
  for (int i = 0; i < count && out.size() < kMaxTexts; ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0)
      return fail(ErrorCode::Malformed, "the answer has a broken record", Fault::Peer);
    if (ns_rr_type(record) != ns_t_txt) continue;
    std::string text = joined_strings(ByteView(ns_rr_rdata(record), ns_rr_rdlen(record)));
    if (!text.empty()) out.push_back(std::move(text));
  }
  return out;
}

Result<std::vector<std::string>> resolve_text_blocking(const std::string& name,
                                                       const std::optional<Endpoint>& name_server) {
  struct __res_state state{};
  if (res_ninit(&state) != 0) return fail(ErrorCode::Io, "resolving '" + name + "': no resolver");
  state.retrans = kTrySeconds;
  state.retry = kTries;
  if (name_server && !name_server->address.v6) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(name_server->port);
    std::memcpy(&to.sin_addr, name_server->address.octets.data(), 4);
    state.nsaddr_list[0] = to;
    state.nscount = 1;
  }
  Bytes answer(kAnswerBytes);
  // As it stands: a search list would ask for other names.
  const int size = res_nquery(&state, name.c_str(), ns_c_in, ns_t_txt, answer.data(), static_cast<int>(answer.size()));
  const int error = state.res_h_errno;
  res_nclose(&state);
  if (size < 0)
    return fail(ErrorCode::NotFound, "resolving the TXT records of '" + name + "': " + ::hstrerror(error), Fault::Local,
                Retry::Later);
  return parse_text_answer(
      ByteView(answer).first(std::min<std::size_t>(static_cast<std::size_t>(size), answer.size())));
}

Task<Result<std::vector<std::string>>> Network::resolve_text(std::string name) {
  co_return fail(ErrorCode::Unsupported, "resolving '" + name + "': no name service here");
}

Task<Result<std::vector<std::string>>> SocketNetwork::resolve_text(std::string name) {
  co_return co_await pool_.run(loop_, [name, server = name_server_] { return resolve_text_blocking(name, server); });
}

}  // namespace ghmesh::io
