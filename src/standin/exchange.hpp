// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "json.hpp"
#include "shapes.hpp"
#include "standin/model.hpp"

// One request on its way through the model: who asks, for what, at whose cost, and the answer as it grows. Private to
// this room; the steps are in exchange.cpp (order of checks), reads.cpp, writes.cpp and graphql.cpp.

namespace ghmesh::standin {

using Query = std::vector<std::pair<std::string, std::string>>;

// What a handler decided; exchange.cpp turns it into fields.
struct Answer {
  int status = 200;
  std::string body;
  std::string type = "application/json; charset=utf-8";
  std::string media = "github.v3; format=json";
  std::string location;
  std::string link;
  std::optional<WallTime> modified;
  bool tagged = false;        // ETag by the formula, conditional requests honoured
  bool blob_tagged = false;   // ETag by the content alone, as raw media have
  bool no_cache = false;      // Cache-Control: no-cache, no ETag (search, /rate_limit)
  bool silent_cache = false;  // no Cache-Control at all (alert lists, errors)
  bool free = false;          // draws no quota
  bool denied = false;        // for the journal
};

class Exchange {
 public:
  Exchange(GithubModel& model, const Request& request, WallTime now);
  Response run();

 private:
  // Steps of run(), each giving the final answer or nothing.
  std::optional<Answer> identify();
  std::optional<Answer> admit();
  Answer dispatch();
  std::optional<Answer> locate();
  Response finish(Answer answer);

  // reads.cpp
  Answer read();
  Answer read_list(const Document& list);
  Answer read_form(const Document& document);
  Answer read_search();
  Answer read_rate_limit();
  Answer read_viewer();
  std::string link_of(std::uint64_t page, std::uint64_t per_page, std::uint64_t pages) const;

  // writes.cpp
  Answer write();
  Answer write_in_repository(const std::string& rest);
  Answer create_in_repository(const std::vector<std::string>& parts);
  Answer create(const std::string& list, const std::string& path, const Json& object, int status = 201);
  Answer edit(const std::string& path);
  Answer write_issue_part(std::uint64_t number, const std::string& part);
  Answer write_contents(const std::string& file);
  Answer write_reference(const std::string& rest);
  Answer write_pull_part(std::uint64_t number, const std::string& part);
  Answer write_run_part(const std::string& path, const std::string& part);
  Answer erase(const std::string& path);
  void set_labels(const std::string& issue_path, Json labels);
  std::uint64_t next_issue_number() const;

  // graphql.cpp
  Answer graphql();
  friend class GraphqlRun;

  // errors as GitHub words them
  Answer error(int status, std::string_view message, std::string_view page = "rest") const;
  Answer not_found();
  Answer limited(const Budget& budget);
  Answer secondary(int retry_after);

  std::string query_value(std::string_view name) const;
  bool may_see(const Repository& repository) const;
  bool may_write(const Repository& repository) const;
  bool wants_gzip() const;
  ShapeContext shape() const;
  Json input() const { return parse_json(request_.body); }
  std::string bucket() const;
  std::string payer_name() const;
  void add_fields(Response& out, const Answer& answer, const std::string& tag, bool packed);
  void add_rate_fields(http::Fields& fields);
  void record(const Answer& answer, bool charged, std::size_t size);
  void charge();

  GithubModel& m_;
  const Request& request_;
  WallTime now_;
  std::string path_;      // canonical
  std::string raw_path_;  // as asked, without the query
  Query query_;
  const Token* token_ = nullptr;
  bool bad_token_ = false;
  bool safe_ = true;
  Payer payer_ = Payer::Anonymous;
  std::string resource_ = "core";
  const Repository* repository_ = nullptr;
  std::string endpoint_;
  std::uint32_t points_ = 1;
  std::string retry_after_;
  std::string request_id_;
};

// control.cpp: the control API.
Response control(GithubModel& model, const Request& request, WallTime now);

Query parse_query(std::string_view text);

}  // namespace ghmesh::standin
