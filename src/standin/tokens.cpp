// SPDX-License-Identifier: Apache-2.0
#include "standin/tokens.hpp"

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "http/message/fields.hpp"

namespace ghmesh::standin {
namespace {

constexpr std::uint64_t kFirstId = 583231;

}  // namespace

std::string credential_of(std::string_view authorization) {
  const std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view scheme = authorization.substr(0, space);
  const std::string_view rest = http::trim(authorization.substr(space + 1));
  if (http::iequals(scheme, "token") || http::iequals(scheme, "bearer")) return std::string(rest);
  if (!http::iequals(scheme, "basic")) return {};
  const std::optional<Bytes> plain = from_base64(rest);
  if (!plain) return {};
  const std::string_view pair = as_text(*plain);
  const std::size_t colon = pair.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view password = pair.substr(colon + 1);
  if (password.empty() || password == "x-oauth-basic") return std::string(pair.substr(0, colon));
  return std::string(password);
}

std::string TokenTable::fingerprint_of(std::string_view value) {
  return to_hex(crypto::sha256(as_bytes(value))).substr(0, 12);
}

Token& TokenTable::add_user(std::string_view value, std::string_view login, std::set<std::string> repositories) {
  Token token;
  token.kind = TokenKind::User;
  token.login = std::string(login);
  token.budget = "user:" + token.login;
  token.fingerprint = fingerprint_of(value);
  token.scopes = "gist, read:org, repo, workflow";
  token.repositories = std::move(repositories);
  token.user_id = ids_.try_emplace(token.budget, kFirstId + ids_.size()).first->second;
  return tokens_[std::string(value)] = std::move(token);
}

Token& TokenTable::add_job(std::string_view value, std::string_view repository) {
  Token token;
  token.kind = TokenKind::Job;
  token.login = "github-actions[bot]";
  token.budget = "repository:" + std::string(repository);
  token.fingerprint = fingerprint_of(value);
  token.repositories = {std::string(repository)};
  token.user_id = ids_.try_emplace(token.budget, kFirstId + ids_.size()).first->second;
  return tokens_[std::string(value)] = std::move(token);
}

bool TokenTable::remove(std::string_view value) {
  const auto found = tokens_.find(value);
  if (found == tokens_.end()) return false;
  tokens_.erase(found);
  return true;
}

void TokenTable::rename_repository(const std::string& from, const std::string& to) {
  for (auto& [value, token] : tokens_)
    if (token.repositories.erase(from) > 0) token.repositories.insert(to);
}

const Token* TokenTable::find(std::string_view authorization) {
  const std::string value = credential_of(authorization);
  if (value.empty()) return nullptr;
  const auto found = tokens_.find(value);
  if (found != tokens_.end()) return &found->second;
  if (!open_door_) return nullptr;
  if (value.starts_with("ghs_") && !open_door_->empty()) return &add_job(value, *open_door_);
  return &add_user(value, "user-" + fingerprint_of(value));
}

}  // namespace ghmesh::standin
