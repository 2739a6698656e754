// SPDX-License-Identifier: Apache-2.0
#include "proxy/proxy.hpp"
#include "proxy/trace.hpp"

// The books of the request path: every client request ends here once, and every call to the upstream begins and ends
// here.

namespace ghmesh::proxy {
RequestClass Proxy::class_of(const Plan& plan, std::string_view method) {
  if (plan.elsewhere) return RequestClass::Other;
  if (plan.resource.cls == github::ResourceClass::GraphQl) return RequestClass::GraphQl;
  if (!http::is_safe_method(method)) return RequestClass::Write;
  return static_cast<RequestClass>(plan.resource.cls);
}

void Proxy::count(const Exchange& exchange, const Plan& plan, AnswerKind kind, int status, TimePoint began,
                  std::uint32_t direct) {
  Answered answered;
  answered.kind = kind;
  answered.method = exchange.request().view.method;
  answered.cls = class_of(plan, answered.method);
  if (!plan.elsewhere) answered.path = std::string_view(plan.target).substr(0, plan.target.find('?'));
  answered.status = status;
  answered.spent = plan.spent;
  answered.spent.direct += direct;
  answered.now = parts_.loop.now();
  answered.seconds = std::chrono::duration<double>(answered.now - began).count();
  if (direct > 0) parts_.stats.direct_calls.add(direct);
  parts_.stats.count_answer(kind, answered.cls, answered.seconds);
  parts_.activity.note(answered);
  if (parts_.logger.enabled(log::Level::Debug)) log_request(exchange, plan, answered);
}

// One line a request, named as OpenTelemetry's log model names the trace and the span. A failure is worth its line
// whatever the sample.
void Proxy::log_request(const Exchange& exchange, const Plan& plan, const Answered& answered) {
  const auto trace = trace_of(exchange.request().view.fields);
  const bool failed = answered.kind == AnswerKind::Error || answered.status >= 500;
  if (!log_sample_.takes(trace) && !failed) return;
  if (trace && plan.span.empty()) plan.span = new_span_id(parts_.random);
  parts_.logger.debug("request", {{"method", answered.method},
                                  {"path", answered.path},
                                  {"status", answered.status},
                                  {"answer", to_string(answered.kind)},
                                  {"class", to_string(answered.cls)},
                                  {"seconds", answered.seconds},
                                  {"upstream_calls", answered.spent.calls},
                                  {"upstream_status", answered.spent.upstream_status},
                                  {"charged", answered.spent.charged},
                                  {"trace_id", trace ? trace->trace_id : std::string_view()},
                                  {"span_id", trace ? std::string_view(plan.span) : std::string_view()},
                                  {"parent_span_id", trace ? trace->span_id : std::string_view()}});
}

void Proxy::pass_on_trace(const Plan& plan, http::Fields& fields) {
  const auto trace = trace_of(fields.view());
  if (!trace) {
    // A state without a parent belongs to no trace.
    for (const char* name : {"traceparent", "tracestate"}) fields.remove(name);
    return;
  }
  if (plan.span.empty()) plan.span = new_span_id(parts_.random);
  fields.set("traceparent", format_traceparent(*trace, plan.span));
}

void Proxy::on_asked(const Plan& plan) {
  parts_.stats.upstream_calls.add();
  ++plan.spent.calls;
}

bool Proxy::on_answered(const Plan& plan, int status, http::FieldsView fields, TimePoint asked) {
  parts_.stats.count_upstream(status, std::chrono::duration<double>(parts_.loop.now() - asked).count());
  plan.spent.upstream_status = status;
  const bool charged = parts_.live.observe(plan, plan.target, status, fields);
  if (charged) ++plan.spent.charged;
  return charged;
}

void Proxy::on_unanswered(const Plan& plan) {
  plan.spent.upstream_status = 0;
  parts_.stats.upstream_errors.add();
  parts_.stats.count_upstream(0, 0);
}

}  // namespace ghmesh::proxy
