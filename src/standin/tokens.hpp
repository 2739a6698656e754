// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

// Who may ask: tokens of users and of jobs, what each may see and which budget it draws on. One thread.

namespace ghmesh::standin {

enum class TokenKind { User, Job };

struct Token {
  TokenKind kind = TokenKind::User;
  std::string login;
  std::uint64_t user_id = 0;  // of the user or the installation; named in limit messages
  std::string budget;         // tokens with one budget share one quota: all of a user's, all jobs' of a repository
  std::string fingerprint;    // stands for the token in logs: twelve digits of its hash
  std::string scopes;         // X-OAuth-Scopes; jobs have none
  bool everything = false;    // sees and writes every repository
  std::set<std::string> repositories;  // private ones it sees, and public ones it may write; full names
};

class TokenTable {
 public:
  // Both replace an older token of the same value. The reference stays valid until the token is removed.
  Token& add_user(std::string_view value, std::string_view login, std::set<std::string> repositories = {});
  Token& add_job(std::string_view value, std::string_view repository);
  bool remove(std::string_view value);
  void rename_repository(const std::string& from, const std::string& to);

  // The token of an Authorization value: "token X", "Bearer X", or Basic with X as the password (or as the user, with
  // an empty password or x-oauth-basic). Nothing for another scheme or an unknown token. With open_door set, an unknown
  // one becomes a user of its own, and a ghs_ one a job of that repository.
  const Token* find(std::string_view authorization);

  void open_door(std::optional<std::string> jobs_of) { open_door_ = std::move(jobs_of); }

  // Twelve digits of the hash of a token's value.
  static std::string fingerprint_of(std::string_view value);

 private:
  std::map<std::string, Token, std::less<>> tokens_;
  std::map<std::string, std::uint64_t, std::less<>> ids_;
  std::optional<std::string> open_door_;
};

// The secret inside an Authorization value, or "".
std::string credential_of(std::string_view authorization);

}  // namespace ghmesh::standin
