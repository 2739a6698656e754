// SPDX-License-Identifier: Apache-2.0
#include "standin/tag.hpp"

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace ghmesh::standin {

std::string compute_tag(TagFormula formula, http::FieldsView request, std::string_view body) {
  crypto::Sha256 hash;
  if (formula == TagFormula::Salted) hash.update(std::string_view("a new salt:"));
  for (const std::string_view name : {"Accept", "Authorization", "Cookie"}) {
    if (!request.has(name)) continue;
    hash.update(request.joined(name));
    hash.update(std::string_view(":"));
  }
  hash.update(formula == TagFormula::PrefixOnly ? body.substr(0, 1024) : body);
  std::string digits = to_hex(hash.finish());
  if (formula == TagFormula::Truncated) digits.resize(32);
  return digits;
}

bool names_tag(std::string_view if_none_match, std::string_view tag) {
  bool named = false;
  http::for_each_member(if_none_match, [&](std::string_view member) {
    if (member == "*") named = true;
    if (member.starts_with("W/")) member.remove_prefix(2);
    if (member.size() >= 2 && member.front() == '"' && member.back() == '"')
      named = named || member.substr(1, member.size() - 2) == tag;
  });
  return named;
}

}  // namespace ghmesh::standin
