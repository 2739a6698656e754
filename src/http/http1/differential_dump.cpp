// SPDX-License-Identifier: Apache-2.0
// What this room's parsers make of mutated messages, for a parser of another language to disagree with
// (tests/conformance/llhttp.mjs):
//
//   differential_dump ROUNDS [SEED]
//
// One line a message that was accepted: kind (request, response), the octets of the message and what follows them, then
// size, method, start, body and each field's name and value; octets in hexadecimal, "-" for none. The last line says
// how many were refused.

#include <cstdio>
#include <cstdlib>

#include "differential.hpp"

using namespace ghmesh;                             // NOLINT: a program of one page
using namespace ghmesh::http::http1::differential;  // NOLINT

namespace {

std::string hex(std::string_view octets) {
  if (octets.empty()) return "-";
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : octets) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

bool print(const std::string& text, bool is_request) {
  std::string method;
  const auto message = read_ours(text, is_request, method);
  if (!message) return false;
  std::string line = is_request ? "request " : "response ";
  line += hex(text) + " " + std::to_string(message->size) + " " + hex(method) + " " + hex(message->start) + " " +
          hex(message->body);
  for (const auto& [name, value] : message->fields) line += " " + hex(name) + " " + hex(value);
  std::puts(line.c_str());
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  const long rounds = count > 1 ? std::atol(arguments[1]) : 0;
  if (rounds <= 0) {
    std::fputs("usage: differential_dump ROUNDS [SEED]\n", stderr);
    return 2;
  }
  SeededRandom random(count > 2 ? static_cast<std::uint64_t>(std::atoll(arguments[2])) : 20260102);
  long refused = 0;
  for (const bool is_request : {true, false}) {
    const std::vector<std::string>& seeds = is_request ? requests() : responses();
    for (const std::string& seed : seeds)
      if (!print(seed, is_request)) return 1;  // the table itself is well-formed
    for (long round = 0; round < rounds; ++round)
      if (!print(mutate(random, seeds[random.below(seeds.size())]), is_request)) ++refused;
  }
  std::printf("refused %ld\n", refused);
}
