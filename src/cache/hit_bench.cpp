// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "cache/response_head.hpp"
#include "cache/storing.hpp"
#include "cache/variants.hpp"

// What a hit costs beside the socket: view the record, decide, write the tail.

namespace {

using namespace ghmesh;
using namespace ghmesh::cache;

const http::Fields kRequest{{"Host", "api.github.com"},
                            {"Accept", "application/vnd.github+json"},
                            {"Authorization", "token 0123456789012345678901234567890123456789"},
                            {"X-GitHub-Api-Version", "2022-11-28"},
                            {"User-Agent", "GitHub CLI 2.40.0"},
                            {"Accept-Encoding", "gzip"}};
const http::Fields kResponse{{"Server", "github.com"},
                             {"Date", "Thu, 01 Jan 2026 00:00:00 GMT"},
                             {"Content-Type", "application/json; charset=utf-8"},
                             {"Cache-Control", "private, max-age=60, s-maxage=60"},
                             {"Vary", "Accept, Authorization, Cookie, X-GitHub-OTP"},
                             {"ETag", "W/\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""},
                             {"Last-Modified", "Wed, 31 Dec 2025 00:00:00 GMT"},
                             {"X-GitHub-Media-Type", "github.v3; format=json"},
                             {"x-ratelimit-limit", "5000"},
                             {"x-ratelimit-remaining", "4999"},
                             {"x-ratelimit-reset", "1767229200"},
                             {"Access-Control-Allow-Origin", "*"},
                             {"Strict-Transport-Security", "max-age=31536000; includeSubdomains; preload"},
                             {"X-Content-Type-Options", "nosniff"},
                             {"Vary", "Accept-Encoding, Accept, X-Requested-With"}};

struct Record {
  ManualClock clock;
  FreshnessPolicy policy = http_policy(Partition::Credential);
  http::RequestView request{"GET", "/repos/o/r", 1, kRequest.view()};
  std::shared_ptr<const VariantRecord> record;

  Record() {
    const Now now = Now::of(clock);
    Outcome outcome;
    outcome.put.push_back({*make_storable(request, {200, kResponse}, {now, now}, policy), std::nullopt});
    record = std::make_shared<const VariantRecord>(*VariantSet().after(outcome, Bytes(6144, 'x')));
  }
};

void hit(benchmark::State& state) {
  const Record fixture;
  const Now now = Now::of(fixture.clock);
  std::string tail;
  for (auto _ : state) {
    const auto set = VariantSet::attach(fixture.record->metadata, fixture.record->body, fixture.record, fixture.policy);
    const Entry* candidate = &set->entry(0);
    const Decision decision = decide(fixture.request, std::span(&candidate, 1), fixture.policy, now);
    HitFields fields;
    fields.age = decision.age;
    fields.status.hit = true;
    fields.status.detail = "memory";
    tail.clear();
    append_tail(tail, *candidate, fields);
    if (decision.action != Action::Serve) state.SkipWithError("not a hit");
    benchmark::DoNotOptimize(tail.data());
  }
}
BENCHMARK(hit);

void not_modified(benchmark::State& state) {
  const Record fixture;
  const auto set = VariantSet::attach(fixture.record->metadata, fixture.record->body, fixture.record, fixture.policy);
  std::string head;
  for (auto _ : state) {
    head.clear();
    append_head(head, set->entry(0), {Form::NotModified, {}}, {});
    benchmark::DoNotOptimize(head.data());
  }
}
BENCHMARK(not_modified);

void store(benchmark::State& state) {
  const Record fixture;
  const Now now = Now::of(fixture.clock);
  for (auto _ : state)
    benchmark::DoNotOptimize(make_storable(fixture.request, {200, kResponse}, {now, now}, fixture.policy));
}
BENCHMARK(store);

}  // namespace
