// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <array>

#include "http/http1/head.hpp"

namespace ghmesh::http::http1 {
namespace {

constexpr std::string_view kRequest =
    "GET /repos/octo-org/octo-repo/actions/runs/1234567/jobs?per_page=100 HTTP/1.1\r\nHost: api.github.com\r\n"
    "Authorization: token ghs_0123456789abcdefghijklmnopqrstuvwxyz0123\r\n"
    "Accept: application/vnd.github.merge-info-preview+json, application/vnd.github.nebula-preview\r\n"
    "User-Agent: GitHub CLI 2.23.0\r\nContent-Type: application/json; charset=utf-8\r\nTime-Zone: Europe/Berlin\r\n"
    "X-GitHub-Api-Version: 2022-11-28\r\nAccept-Encoding: gzip\r\n\r\n";

void parse_request(benchmark::State& state) {
  std::array<Field, 64> fields;
  RequestParser parser;
  for (auto _ : state) {
    if (parser.parse(kRequest, fields) != ParseState::Done) state.SkipWithError("refused");
    benchmark::DoNotOptimize(parser.head());
    parser.reset();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kRequest.size()));
}
BENCHMARK(parse_request);

void parse_wrk_request(benchmark::State& state) {
  std::array<Field, 64> fields;
  RequestParser parser;
  const std::string_view text = "GET /x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
  for (auto _ : state) {
    if (parser.parse(text, fields) != ParseState::Done) state.SkipWithError("refused");
    benchmark::DoNotOptimize(parser.head());
    parser.reset();
  }
}
BENCHMARK(parse_wrk_request);

}  // namespace
}  // namespace ghmesh::http::http1
