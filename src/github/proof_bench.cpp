// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "crypto/hash.hpp"
#include "github/calibration.hpp"
#include "github/proof.hpp"

// What a proof adds to a request: the tag of the body under a kept prefix state, beside SHA-256 of the same bytes at
// the library's speed, and the whole ladder with it. Run with --benchmark_counters_tabular=true: bytes per second.

namespace {

using namespace ghmesh;
using namespace ghmesh::github;

// As dense as GitHub's answers are: names, addresses, numbers and short texts.
Bytes json_of(std::size_t size) {
  Bytes out = to_bytes("{\"items\":[0");
  for (std::size_t n = 1; out.size() + 400 < size; ++n) {
    const std::string number = std::to_string(n);
    append(out, ",{\"id\":" + number + ",\"node_id\":\"I_kwDO" + number +
                    "\",\"url\":\"https://api.github.com/repos/octo-org/hello/issues/" + number + "\",\"number\":" +
                    number + ",\"state\":\"open\",\"locked\":false,\"user\":{\"login\":\"octocat\",\"id\":1}," +
                    "\"labels\":[{\"name\":\"bug\",\"color\":\"d73a4a\"}],\"title\":\"Found a bug\"}");
  }
  append(out, "],\"text\":\"");
  out.resize(size - 2, 'x');
  append(out, "\"}");
  return out;
}

Canonical job_request() {
  Canonical out;
  out.accept = kDefaultAccept;
  out.authorization = crypto::SecretText(std::string("Bearer ghs_") + std::string(520, 'a'));
  out.anonymous = false;
  return out;
}

void plain_sha256(benchmark::State& state) {
  const Bytes body = json_of(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(body));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void tag_of_body(benchmark::State& state) {
  const Bytes body = json_of(static_cast<std::size_t>(state.range(0)));
  const crypto::Sha256 prefix = etag_prefix(job_request());
  for (auto _ : state) benchmark::DoNotOptimize(etag_of(prefix, body));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// Everything the node decides for one proved answer: check that the body is JSON, tag, send, judge the 304, new head.
void proof(benchmark::State& state, ShapeCache* shapes) {
  const auto body = std::make_shared<const Bytes>(json_of(static_cast<std::size_t>(state.range(0))));
  const Canonical request = job_request();
  const crypto::Sha256 prefix = etag_prefix(request);
  const Resource resource = classify("GET", "/repos/octo-org/hello/contents/README.md");
  SeededRandom random(1);
  Calibration calibration(random, {.matches = 1, .matches_elsewhere = 1});
  const TimePoint now{};
  calibration.on_self_check("api.github.com", resource, request.accept, true, now);
  calibration.on_canary("api.github.com", resource, request.accept, false, now);
  const std::string tag = quoted_etag(etag_of(prefix, *body));
  const http::Fields live{{"etag", tag},
                          {"x-ratelimit-limit", "5000"},
                          {"x-ratelimit-remaining", "4999"},
                          {"cache-control", "private, max-age=60"}};
  for (auto _ : state) {
    Ladder::Input input;
    input.calibration = &calibration;
    input.prefix = &prefix;
    input.host = "api.github.com";
    input.url_prefix = "https://api.github.com";
    input.target = {"/repos/octo-org/hello/contents/README.md", "", false};
    input.resource = &resource;
    input.request = &request;
    input.shapes = shapes;
    Ladder ladder(std::move(input));
    ladder.set_candidates({{body, Candidate::From::Node}});
    const Step step = ladder.next(now);
    if (step.validator != Validator::Computed) state.SkipWithError("not proven");
    const Outcome outcome = ladder.on_answer({304, live, {}, false}, now);
    if (outcome.serve != Serve::Candidate) state.SkipWithError("not proved");
    benchmark::DoNotOptimize(proved_fields(live, request, ladder.tag(), outcome.link));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// A body that was proved before, and one that is looked at for the first time.
void whole_proof(benchmark::State& state) {
  ShapeCache shapes;
  proof(state, &shapes);
}
void first_proof(benchmark::State& state) { proof(state, nullptr); }

BENCHMARK(plain_sha256)->Arg(1 << 10)->Arg(6 << 10)->Arg(60 << 10)->Arg(1 << 20);
BENCHMARK(tag_of_body)->Arg(1 << 10)->Arg(6 << 10)->Arg(60 << 10)->Arg(1 << 20);
BENCHMARK(whole_proof)->Arg(1 << 10)->Arg(6 << 10)->Arg(60 << 10)->Arg(1 << 20);
BENCHMARK(first_proof)->Arg(1 << 10)->Arg(6 << 10)->Arg(60 << 10)->Arg(1 << 20);

}  // namespace
