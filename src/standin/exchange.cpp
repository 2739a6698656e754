// SPDX-License-Identifier: Apache-2.0
#include "exchange.hpp"

#include <algorithm>

#include "standin/coding.hpp"

namespace ghmesh::standin {
namespace {

constexpr std::string_view kVaryAuthenticated = "Accept, Authorization, Cookie, X-GitHub-OTP";
constexpr std::string_view kVaryAnonymous = "Accept";
constexpr std::string_view kVarySecond = "Accept-Encoding, Accept, X-Requested-With";
constexpr std::string_view kExposed =
    "ETag, Link, Location, Retry-After, X-GitHub-OTP, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Used, "
    "X-RateLimit-Resource, X-RateLimit-Reset, X-OAuth-Scopes, X-Accepted-OAuth-Scopes, X-Poll-Interval, "
    "X-GitHub-Media-Type, X-GitHub-SSO, X-GitHub-Request-Id, Deprecation, Sunset";
constexpr std::string_view kVersions[] = {"2022-11-28", "2026-03-10"};

bool creates_content(std::string_view method, std::string_view path) {
  if (method == "GET" || method == "HEAD" || method == "OPTIONS") return false;
  for (const std::string_view part : {"/issues", "/pulls", "/comments", "/reviews", "/releases", "/reactions"})
    if (path.find(part) != std::string_view::npos) return true;
  return false;
}

std::string_view strip_origin(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return target;
  const std::size_t slash = target.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
}

Response serve_blob(GithubModel& model, const Request& request, std::string_view path, const Query& query,
                    WallTime now) {
  Response out;
  const auto refuse = [&](int status, std::string_view text) {
    out.status = status;
    out.body = std::string(text);
    out.fields.add("Content-Type", "application/xml");
  };
  std::string expiry;
  for (const auto& [name, value] : query)
    if (name == "se") expiry = value;
  const Document* blob = model.world.blob(percent_decode(path.substr(std::string_view("/_blobs/").size()), false));
  // Storage takes the signature or an Authorization field, never both: a token that follows a redirect is seen here.
  if (request.fields.has("Authorization"))
    refuse(400, "<Error><Code>InvalidAuthenticationInfo</Code></Error>");
  else if (blob == nullptr)
    refuse(404, "<Error><Code>BlobNotFound</Code></Error>");
  else if (expiry.empty() || std::to_string(std::chrono::system_clock::to_time_t(now)) > expiry)
    refuse(403, "<Error><Code>AuthenticationFailed</Code></Error>");
  else {
    out.body = blob->body;
    out.fields.add("Content-Type", blob->type);
    out.fields.add("ETag", "\"0x" + fake_sha(blob->body).substr(0, 16) + "\"");
    out.fields.add("Last-Modified", http_date(blob->modified.value_or(now)));
  }
  out.fields.add("Content-Length", std::to_string(out.body.size()));
  out.fields.add("Date", http_date(now));
  if (request.method == "HEAD") out.body.clear();
  return out;
}

}  // namespace

Query parse_query(std::string_view text) {
  Query out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty())
      out.emplace_back(percent_decode(pair.substr(0, equals), true),
                       equals < pair.size() ? percent_decode(pair.substr(equals + 1), true) : std::string());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

GithubModel::GithubModel(Settings chosen) : settings(std::move(chosen)) {}

Response GithubModel::handle(const Request& request, WallTime now) {
  ++requests_;
  const std::string_view target = strip_origin(request.target);
  if (target.starts_with("/_model/")) return control(*this, request, now);
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  std::optional<FaultRule> fault = faults.take(request.method, path);
  Response out;
  if (fault && fault->status != 0) {
    out.status = fault->status;
    out.body = fault->status == 502 ? "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n"
                                    : "{\"message\":\"Server Error\"}";
    out.fields.add("Content-Type", fault->status == 502 ? "text/html" : "application/json; charset=utf-8");
    out.fields.add("Content-Length", std::to_string(out.body.size()));
    out.fields.add("Date", http_date(now));
    JournalEntry entry;
    entry.time = now;
    entry.method = request.method;
    entry.target = request.target;
    entry.status = out.status;
    journal.add(std::move(entry));
    ++journal.total().total;
  } else if (path.starts_with("/_blobs/")) {
    out = serve_blob(*this, request, path,
                     mark == std::string_view::npos ? Query() : parse_query(target.substr(mark + 1)), now);
  } else {
    out = Exchange(*this, request, now).run();
  }
  if (!fault) return out;
  if (fault->wrong_gzip) {
    out.body = "\x1f\x8b\x08 this is no deflate stream";
    out.fields.set("Content-Encoding", "gzip");
    out.fields.set("Content-Length", std::to_string(out.body.size()));
  }
  out.delivery = fault->delivery;
  return out;
}

Exchange::Exchange(GithubModel& model, const Request& request, WallTime now) : m_(model), request_(request), now_(now) {
  std::string_view target = strip_origin(request.target);
  target = target.substr(0, target.find('#'));
  const std::size_t mark = target.find('?');
  raw_path_ = std::string(target.substr(0, mark));
  if (mark != std::string_view::npos) query_ = parse_query(target.substr(mark + 1));
  // Enterprise Server's names for the same things.
  std::string_view path = raw_path_;
  if (path == "/api/graphql")
    path = "/graphql";
  else if (path.starts_with("/api/v3"))
    path.remove_prefix(7);
  else if (path.starts_with("/api/uploads"))
    path.remove_prefix(12);
  path_ = path.empty() ? "/" : percent_decode(path, false);
  safe_ = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
  resource_ = std::string(resource_of(path_));
  endpoint_ = endpoint_of(request.method, path_);
  char id[40];
  std::snprintf(id, sizeof id, "0684:7166:%06llX:16C691D:62D6351C", static_cast<unsigned long long>(model.requests_));
  request_id_ = id;
}

Response Exchange::run() {
  if (std::optional<Answer> refused = identify()) return finish(std::move(*refused));
  if (std::optional<Answer> refused = admit()) return finish(std::move(*refused));
  // Members of a JSON type that nobody would send make the reader throw: the client's mistake, answered as such.
  try {
    return finish(dispatch());
  } catch (const Json::exception&) {
    return finish(error(422, "Validation Failed"));
  }
}

std::optional<Answer> Exchange::identify() {
  const std::optional<std::string_view> authorization = request_.fields.first("Authorization");
  if (authorization && !http::trim(*authorization).empty()) {
    token_ = m_.tokens.find(*authorization);
    bad_token_ = token_ == nullptr;
  }
  if (token_ != nullptr) payer_ = token_->kind == TokenKind::Job ? Payer::Job : Payer::User;
  const bool mutation = resource_ == "graphql" && request_.body.find("mutation") != std::string::npos;
  points_ = safe_ ? 1 : resource_ == "graphql" && !mutation ? 1 : 5;
  if (http::trim(request_.fields.first("User-Agent").value_or("")).empty()) {
    Answer a = error(403,
                     "Request forbidden by administrative rules. Please make sure your request has a User-Agent header "
                     "(https://docs.github.com/rest/overview/resources-in-the-rest-api#user-agent-required). Check "
                     "https://developer.github.com for other possible causes.");
    a.free = true;
    return a;
  }
  if (bad_token_) {
    Answer a = error(401, "Bad credentials");
    a.denied = true;
    return a;
  }
  const std::string version(request_.fields.first("X-GitHub-Api-Version").value_or(kVersions[0]));
  if (std::ranges::find(kVersions, version) == std::end(kVersions))
    return error(400, "X-GitHub-Api-Version header is not a supported version");
  return std::nullopt;
}

std::optional<Answer> Exchange::admit() {
  if (path_ == "/rate_limit") return std::nullopt;
  const QuotaBook::Secondary secondary_limit = m_.quota.admit(
      payer_name(), endpoint_, points_, creates_content(request_.method, path_), request_.in_flight, now_);
  if (secondary_limit.refused) return secondary(secondary_limit.retry_after);
  if (token_ == nullptr && (resource_ == "graphql" || resource_ == "code_search")) {
    Answer a = error(401, "Requires authentication");
    a.denied = true;
    return a;
  }
  const Budget& budget = m_.quota.budget(bucket(), payer_, resource_, now_);
  if (budget.remaining() == 0) return limited(budget);
  return std::nullopt;
}

// Finds the repository behind a path: its present name, its number, or a name it no longer has.
std::optional<Answer> Exchange::locate() {
  std::string_view path = path_;
  std::string_view rest;
  const Repository* found = nullptr;
  if (path.starts_with("/repositories/")) {
    path.remove_prefix(14);
    const std::size_t end = std::min(path.find('/'), path.size());
    rest = path.substr(end);
    found = m_.world.repository(std::strtoull(std::string(path.substr(0, end)).c_str(), nullptr, 10));
    if (found == nullptr) return not_found();
  } else if (path.starts_with("/repos/")) {
    path.remove_prefix(7);
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return not_found();
    const std::size_t end = std::min(path.find('/', slash + 1), path.size());
    const std::string_view name = path.substr(0, end);
    rest = path.substr(end);
    found = m_.world.repository(name);
    if (found == nullptr) {
      const Repository* moved = m_.world.renamed(name);
      if (moved == nullptr || !may_see(*moved)) return not_found();
      Answer a = error(safe_ ? 301 : 307, safe_ ? "Moved Permanently" : "Temporary Redirect");
      const std::size_t mark = request_.target.find('?');
      a.location = m_.settings.api_base + "/repositories/" + std::to_string(moved->id) + std::string(rest) +
                   (mark == std::string::npos ? std::string() : request_.target.substr(mark));
      a.body = to_compact(
          Json{{"message", safe_ ? "Moved Permanently" : "Temporary Redirect"},
               {"url", a.location},
               {"documentation_url",
                "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"}});
      return a;
    }
  } else {
    return std::nullopt;
  }
  if (!may_see(*found)) return not_found();
  repository_ = found;
  path_ = "/repos/" + found->full_name + std::string(rest);
  return std::nullopt;
}

Answer Exchange::dispatch() {
  if (path_ == "/graphql") return request_.method == "POST" ? graphql() : not_found();
  if (path_ == "/rate_limit") return read_rate_limit();
  if (std::optional<Answer> answer = locate()) return std::move(*answer);
  if (safe_) return read();
  if (token_ == nullptr) {
    Answer a = error(401, "Requires authentication");
    a.denied = true;
    return a;
  }
  return write();
}

bool Exchange::may_see(const Repository& repository) const {
  if (!repository.is_private) return true;
  return token_ != nullptr && (token_->everything || token_->repositories.contains(repository.full_name));
}

bool Exchange::may_write(const Repository& repository) const {
  return token_ != nullptr && (token_->everything || token_->repositories.contains(repository.full_name));
}

bool Exchange::wants_gzip() const { return request_.fields.has_token("Accept-Encoding", "gzip"); }

ShapeContext Exchange::shape() const {
  ShapeContext c;
  c.api = m_.settings.api_base;
  c.now = now_;
  if (token_ != nullptr) c.login = token_->login;
  return c;
}

std::string Exchange::bucket() const { return token_ != nullptr ? token_->budget : "address:" + request_.client; }
std::string Exchange::payer_name() const {
  return token_ != nullptr ? token_->fingerprint : "address:" + request_.client;
}

std::string Exchange::query_value(std::string_view name) const {
  for (const auto& [key, value] : query_)
    if (key == name) return value;
  return {};
}

Answer Exchange::error(int status, std::string_view message, std::string_view page) const {
  Answer a;
  a.status = status;
  a.silent_cache = true;
  a.body = to_compact(Json{{"message", std::string(message)},
                           {"documentation_url", "https://docs.github.com/" + std::string(page)},
                           {"status", std::to_string(status)}});
  return a;
}

Answer Exchange::not_found() {
  Answer a = error(404, "Not Found");
  a.denied = true;
  return a;
}

Answer Exchange::limited(const Budget& budget) {
  const std::string support = " If you reach out to GitHub Support for help, please include the request ID " +
                              request_id_ + " and timestamp " + iso_date(now_) + ".";
  std::string message;
  switch (payer_) {
    case Payer::User:
      message = "API rate limit exceeded for user ID " + std::to_string(token_->user_id) + "." + support;
      break;
    case Payer::Job:
      message = "API rate limit exceeded for installation ID " + std::to_string(token_->user_id) + "." + support;
      break;
    case Payer::Anonymous:
      message = "API rate limit exceeded for " + request_.client +
                ". (But here's the good news: Authenticated requests get a higher rate limit. Check out the "
                "documentation for more details.)";
      break;
  }
  ++m_.journal.total().primary_limited;
  ++m_.journal.of(token_ != nullptr ? token_->fingerprint : "").primary_limited;
  static_cast<void>(budget);
  Answer a = error(403, message, "rest/overview/rate-limits-for-the-rest-api");
  if (resource_ == "graphql") {
    a = Answer{};
    a.body = to_compact(Json{{"errors", Json::array({Json{{"type", "RATE_LIMITED"}, {"message", message}}})}});
  }
  a.free = true;
  return a;
}

Answer Exchange::secondary(int retry_after) {
  ++m_.journal.total().secondary_limited;
  ++m_.journal.of(token_ != nullptr ? token_->fingerprint : "").secondary_limited;
  retry_after_ = std::to_string(retry_after);
  Answer a = error(
      403,
      "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
      "GitHub Support for help, please include the request ID " +
          request_id_ + " and timestamp " + iso_date(now_) + ".",
      "free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits");
  a.free = true;
  return a;
}

void Exchange::charge() { ++m_.quota.budget(bucket(), payer_, resource_, now_).used; }

void Exchange::add_rate_fields(http::Fields& fields) {
  const Budget& b = m_.quota.budget(bucket(), payer_, resource_, now_);
  fields.add("X-RateLimit-Limit", std::to_string(b.limit));
  fields.add("X-RateLimit-Remaining", std::to_string(b.remaining()));
  fields.add("X-RateLimit-Reset", std::to_string(std::chrono::system_clock::to_time_t(b.reset)));
  fields.add("X-RateLimit-Used", std::to_string(b.used));
  fields.add("X-RateLimit-Resource", resource_);
}

void Exchange::record(const Answer& answer, bool charged, std::size_t size) {
  JournalEntry entry;
  entry.time = now_;
  entry.method = request_.method;
  entry.target = request_.target;
  entry.token = token_ != nullptr ? token_->fingerprint : bad_token_ ? "?" : "";
  entry.budget = bucket();
  entry.resource = resource_;
  entry.status = answer.status;
  entry.charged = charged;
  entry.conditional = request_.fields.has("If-None-Match") || request_.fields.has("If-Modified-Since");
  entry.body_size = size;
  for (Counters* c : {&m_.journal.total(), &m_.journal.of(entry.token)}) {
    ++c->total;
    c->charged += charged;
    c->conditional += entry.conditional;
    c->free_304 += answer.status == 304 && !charged;
    c->charged_304 += answer.status == 304 && charged;
    c->denied += answer.denied;
    c->most_concurrent = std::max(c->most_concurrent, request_.in_flight);
  }
  m_.journal.add(std::move(entry));
}

// In the order of the recorded answers; the two lines of Vary stand apart there too.
void Exchange::add_fields(Response& out, const Answer& a, const std::string& tag, bool packed) {
  http::Fields& f = out.fields;
  const bool unchanged = a.status == 304;
  const bool bodiless = unchanged || a.status == 204 || a.status == 205;
  f.add("Server", "github.com");
  f.add("Date", http_date(now_));
  if (!bodiless && !out.body.empty()) f.add("Content-Type", a.type);
  if (!bodiless) f.add("Content-Length", std::to_string(out.body.size()));
  if (a.no_cache)
    f.add("Cache-Control", "no-cache");
  else if (!a.silent_cache)
    f.add("Cache-Control", token_ != nullptr ? "private, max-age=60, s-maxage=60" : "public, max-age=60, s-maxage=60");
  if (!a.silent_cache || a.status < 300) f.add("Vary", token_ != nullptr ? kVaryAuthenticated : kVaryAnonymous);
  if (!tag.empty()) f.add("ETag", (packed ? "W/\"" : "\"") + tag + "\"");
  if (a.modified) f.add("Last-Modified", http_date(*a.modified));
  if (!unchanged && token_ != nullptr && token_->kind == TokenKind::User) {
    f.add("X-OAuth-Scopes", token_->scopes);
    f.add("X-Accepted-OAuth-Scopes", "repo");
  }
  if (!unchanged) f.add("X-GitHub-Media-Type", a.media);
  if (!unchanged && !a.link.empty()) f.add("Link", a.link);
  if (!a.location.empty()) f.add("Location", a.location);
  if (!retry_after_.empty()) f.add("Retry-After", retry_after_);
  f.add("X-GitHub-Api-Version-Selected", request_.fields.first("X-GitHub-Api-Version").value_or(kVersions[0]));
  add_rate_fields(f);
  f.add("Access-Control-Expose-Headers", kExposed);
  f.add("Access-Control-Allow-Origin", "*");
  f.add("Strict-Transport-Security", "max-age=31536000; includeSubdomains; preload");
  f.add("X-Frame-Options", "deny");
  f.add("X-Content-Type-Options", "nosniff");
  f.add("X-XSS-Protection", "0");
  f.add("Referrer-Policy", "origin-when-cross-origin, strict-origin-when-cross-origin");
  f.add("Content-Security-Policy", "default-src 'none'");
  f.add("Vary", kVarySecond);
  if (packed) f.add("Content-Encoding", "gzip");
  f.add("X-GitHub-Request-Id", request_id_);
}

// Precondition, price, form, fields: in this order, because a 304 is free and a pretty body keeps the compact one's
// tag.
Response Exchange::finish(Answer a) {
  const std::string tag = a.tagged        ? compute_tag(m_.settings.formula, request_.fields, a.body)
                          : a.blob_tagged ? fake_sha(a.body)
                                          : "";
  if (!tag.empty() && a.status == 200 && safe_) {
    const std::string condition = request_.fields.joined("If-None-Match");
    bool same = !condition.empty() && (m_.settings.formula == TagFormula::MatchAnything || names_tag(condition, tag));
    if (condition.empty() && a.modified) {
      const auto since = parse_http_date(request_.fields.first("If-Modified-Since").value_or(""));
      same = since && std::chrono::floor<std::chrono::seconds>(*a.modified) <= *since;
    }
    if (same) a.status = 304;
  }
  const bool unchanged = a.status == 304;
  // Free only when correctly authorised; an anonymous 304 costs like any answer.
  const bool charged = !a.free && path_ != "/rate_limit" && !(unchanged && token_ != nullptr);
  if (charged) charge();
  if (unchanged && !m_.quota.rules.points_for_304) m_.quota.refund(payer_name(), endpoint_, points_);

  Response out;
  out.status = a.status;
  const bool bodiless = unchanged || a.status == 204 || a.status == 205;
  const bool pretty =
      a.type.starts_with("application/json") && wants_pretty(request_.fields.first("User-Agent").value_or(""));
  if (!bodiless) out.body = pretty && !a.body.empty() ? pretty_json(a.body) : std::move(a.body);
  const bool packed = wants_gzip() && !out.body.empty();
  if (packed) out.body = gzip(out.body);

  add_fields(out, a, tag, packed);
  record(a, charged, out.body.size());
  if (request_.method == "HEAD") out.body.clear();
  return out;
}

}  // namespace ghmesh::standin
