// SPDX-License-Identifier: Apache-2.0
#include "proxy/stats.hpp"

namespace ghmesh::proxy {

std::string_view to_string(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::MemoryHit: return "memory";
    case AnswerKind::DiskHit: return "disk";
    case AnswerKind::PeerHit: return "peer";
    case AnswerKind::Proof: return "proof";
    case AnswerKind::PeerProof: return "peer_proof";
    case AnswerKind::Stale: return "stale";
    case AnswerKind::Miss: return "miss";
    case AnswerKind::Collapsed: return "collapsed";
    case AnswerKind::Bypass: return "bypass";
    case AnswerKind::Error: return "error";
  }
  return "error";
}

std::string_view to_string(RequestClass cls) {
  if (cls == RequestClass::Write) return "write";
  if (cls == RequestClass::Other) return "other";
  return github::to_string(static_cast<github::ResourceClass>(cls));
}
static_assert(static_cast<int>(RequestClass::Immutable) == static_cast<int>(github::ResourceClass::Immutable) &&
              static_cast<int>(RequestClass::GraphQl) == static_cast<int>(github::ResourceClass::GraphQl));

Stats::Stats(metrics::Registry& registry)
    : upstream_calls(registry.counter("ghmesh_upstream_requests_total", "Requests sent to the upstream.")),
      charged_calls(registry.counter("ghmesh_upstream_charged_total", "Upstream requests that lowered a quota.")),
      free_304s(registry.counter("ghmesh_upstream_free_304_total", "Upstream 304 answers that cost no quota.")),
      direct_calls(registry.counter("ghmesh_direct_charged_total",
                                    "Requests that a client without this node would have been charged for.")),
      invalidations(registry.counter("ghmesh_invalidations_total", "Entries dropped because of a write.")),
      expirations(registry.counter("ghmesh_expirations_total", "Requests whose stored answer was no longer fresh.")),
      upstream_errors(registry.counter("ghmesh_upstream_errors_total", "Upstream requests without a usable answer.")),
      client_errors(registry.counter("ghmesh_client_errors_total", "Client requests refused as malformed.")),
      canaries(registry.counter("ghmesh_canaries_charged_total",
                                "Peers' bytes passed over once, to see that the upstream tells tags apart.")),
      tunnels(registry.counter("ghmesh_tunnels_total", "CONNECT tunnels opened.")),
      terminated(registry.counter("ghmesh_connects_answered_total", "CONNECTs to the API's hosts answered here.")),
      refused(registry.counter("ghmesh_refused_total", "Requests for hosts that are not allowed.")),
      registry_(registry),
      upstream_latency_(
          registry.histogram("ghmesh_upstream_seconds", "Time from asking the upstream to the head of its answer.")) {
  for (int i = 0; i < kAnswerKinds; ++i) {
    const std::string kind(to_string(static_cast<AnswerKind>(i)));
    for (int j = 0; j < kRequestClasses; ++j)
      answers_[i][j] = &registry.counter("ghmesh_requests_total", "Client requests by kind of answer and of resource.",
                                         {{"answer", kind}, {"class", std::string(to_string(RequestClass(j)))}});
    latency_[i] = &registry.histogram("ghmesh_request_seconds", "Time from head to first byte of the answer.",
                                      {{"answer", kind}});
  }
}

void Stats::count_answer(AnswerKind kind, RequestClass cls, double seconds) {
  answers_[static_cast<int>(kind)][static_cast<int>(cls)]->add();
  latency_[static_cast<int>(kind)]->observe(seconds);
}

void Stats::count_upstream(int status, double seconds) {
  metrics::Counter*& counter = by_status_[status];
  if (counter == nullptr)
    counter = &registry_.counter("ghmesh_upstream_responses_total", "Upstream answers by status; none where none came.",
                                 {{"code", status == 0 ? "none" : std::to_string(status)}});
  counter->add();
  if (status != 0) upstream_latency_.observe(seconds);
}

std::uint64_t Stats::answers(AnswerKind kind) const {
  std::uint64_t sum = 0;
  for (const metrics::Counter* counter : answers_[static_cast<int>(kind)]) sum += counter->value();
  return sum;
}

std::uint64_t Stats::requests() const {
  std::uint64_t sum = 0;
  for (int i = 0; i < kAnswerKinds; ++i) sum += answers(static_cast<AnswerKind>(i));
  return sum;
}

}  // namespace ghmesh::proxy
