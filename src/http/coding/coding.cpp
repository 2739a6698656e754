// SPDX-License-Identifier: Apache-2.0
#include "http/coding/coding.hpp"

#include <algorithm>

#include "http/message/fields.hpp"

namespace ghmesh::http::coding {
namespace {

struct Named {
  std::string_view name;
  Coding coding;
};
constexpr Named kNames[] = {{"gzip", Coding::Gzip},       {"br", Coding::Brotli},   {"zstd", Coding::Zstd},
                            {"deflate", Coding::Deflate}, {"x-gzip", Coding::Gzip}, {"identity", Coding::Identity}};

// "q=0", "q=0.0…": refused. Any other weight, well-formed or not, admits.
bool is_refused(std::string_view parameters) {
  const std::size_t equals = parameters.find('=');
  if (equals == std::string_view::npos || !iequals(trim(parameters.substr(0, equals)), "q")) return false;
  const std::string_view weight = trim(parameters.substr(equals + 1));
  return !weight.empty() && std::all_of(weight.begin(), weight.end(), [](char c) { return c == '0' || c == '.'; });
}

}  // namespace

std::optional<Coding> parse_coding(std::string_view name) {
  for (const Named& named : kNames)
    if (iequals(name, named.name)) return named.coding;
  return std::nullopt;
}

std::string_view to_string(Coding coding) {
  for (const Named& named : kNames)
    if (named.coding == coding) return named.name;
  return "identity";
}

std::optional<Coding> parse_content_encoding(std::string_view value) {
  std::optional<Coding> coding = Coding::Identity;
  bool any = false;
  for_each_member(value, [&](std::string_view member) {
    coding = any ? std::nullopt : parse_coding(member);
    any = true;
  });
  return coding;
}

bool accepts(std::string_view accept_encoding, Coding coding) {
  std::optional<bool> named;
  std::optional<bool> star;
  for_each_member(accept_encoding, [&](std::string_view member) {
    const std::size_t semicolon = member.find(';');
    const std::string_view name = trim(member.substr(0, semicolon));
    const bool admitted = semicolon == std::string_view::npos || !is_refused(trim(member.substr(semicolon + 1)));
    if (name == "*")
      star = admitted;
    else if (parse_coding(name) == coding)
      named = admitted;
  });
  return named.value_or(star.value_or(coding == Coding::Identity));
}

Result<Bytes> decode_all(Coding coding, ByteView in, const DecodeLimits& limits) {
  Bytes out;
  const auto decoder = make_decoder(coding, limits);
  if (auto decoded = decoder->decode(in, out); !decoded) return std::unexpected(std::move(decoded.error()));
  if (auto finished = decoder->finish(); !finished) return std::unexpected(std::move(finished.error()));
  return out;
}

}  // namespace ghmesh::http::coding
