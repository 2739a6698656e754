// SPDX-License-Identifier: Apache-2.0
//
// Plays the public suite http-cache-tests against the engine without a socket: the suite's definitions come in as JSON
// (export.mjs), client and origin are this program, time is simulated. So the whole suite takes a second, and a failure
// is the engine's own. Grading follows the suite's client/test.mjs.
//
//   engine_driver SUITE.json [JUDGED.tsv] [--column shared|private] [--want N] [--dump ID]
//
// Exits 0 if every test of tier "must" passes, and at least N of tier "want".

#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

#include "cache/model_cache.hpp"
#include "http/message/date.hpp"

namespace {

using ghmesh::ManualClock;
using ghmesh::cache::Message;
using ghmesh::cache::ModelCache;
using Json = nlohmann::json;
namespace http = ghmesh::http;

// What a check throws; setup failures do not count against the cache.
struct CheckFailed {
  bool setup;
  std::string message;
};

void check(bool setup, bool condition, const std::string& message) {
  if (!condition) throw CheckFailed{setup, message};
}

bool is_setup(const Json& config, const char* member) {
  if (config.value("setup", false)) return true;
  if (!config.contains("setup_tests")) return false;
  for (const Json& one : config["setup_tests"])
    if (one == member) return true;
  return false;
}

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* one) { return name == one; });
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::int64_t number_of(const std::optional<std::string>& text) {
  return text && !text->empty() && (std::isdigit(static_cast<unsigned char>((*text)[0])) != 0) ? std::stoll(*text) : -1;
}

std::optional<std::string> get(const http::Fields& fields, const std::string& name) {
  if (!fields.has(name)) return std::nullopt;
  return fields.joined(name);
}

std::string rfc850(ghmesh::WallTime time) {
  const std::string imf = http::format_http_date(time);
  static const std::map<std::string, std::string> kDays = {
      {"Mon", "Monday"}, {"Tue", "Tuesday"},  {"Wed", "Wednesday"}, {"Thu", "Thursday"},
      {"Fri", "Friday"}, {"Sat", "Saturday"}, {"Sun", "Sunday"}};
  return kDays.at(imf.substr(0, 3)) + ", " + imf.substr(5, 2) + "-" + imf.substr(8, 3) + "-" + imf.substr(14, 2) +
         imf.substr(16);
}

// The suite writes dates as seconds from the origin's clock, and locations below the request's URL.
std::string fix_value(const Json& header, const Json& config, std::int64_t server_now_ms, const std::string& base) {
  const std::string name = http::to_lower(header[0].get<std::string>());
  if (is_one_of(name, {"date", "expires", "last-modified", "if-modified-since", "if-unmodified-since"}) &&
      header[1].is_number_integer()) {
    const ghmesh::WallTime time{std::chrono::milliseconds(server_now_ms + header[1].get<std::int64_t>() * 1000)};
    if (config.contains("rfc850date"))
      for (const Json& one : config["rfc850date"])
        if (one == name) return rfc850(time);
    return http::format_http_date(time);
  }
  if (is_one_of(name, {"location", "content-location"}) && config.value("magic_locations", false))
    return text_of(header[1]).empty() ? base : base + "/" + text_of(header[1]);
  return text_of(header[1]);
}

struct SeenRequest {
  std::int64_t number = 0;
  std::string method;
  http::Fields fields;
  std::vector<std::pair<std::string, std::string>> saved;  // response headers the client must receive
};

class TestRun {
 public:
  TestRun(const Json& test, bool npm, std::chrono::milliseconds phase, bool dump)
      : requests_(test["requests"]), npm_(npm), dump_(dump), id_(test["id"]) {
    clock_.advance(phase);
  }

  // Nothing: passed.
  std::optional<CheckFailed> run() {
    try {
      ModelCache cache(ghmesh::cache::http_policy(ghmesh::cache::Partition::Anonymous),
                       ghmesh::cache::http_policy(ghmesh::cache::Partition::Credential), clock_,
                       [this](const http::Request& request) { return origin(request); });
      for (std::size_t i = 0; i < requests_.size(); ++i) step(cache, i);
      check_origin_side();
    } catch (const CheckFailed& failed) {
      return failed;
    }
    return std::nullopt;
  }

 private:
  std::int64_t now_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall_now().time_since_epoch()).count();
  }

  std::string target(const Json& config) const {
    std::string out = "/test/" + kUuid;
    if (config.contains("filename")) out += "/" + config["filename"].get<std::string>();
    if (config.contains("query_arg")) out += "?" + config["query_arg"].get<std::string>();
    return out;
  }

  // ---- the suite's client

  http::Request make_request(const Json& config, std::size_t index) const {
    http::Request request;
    request.method = config.value("request_method", "GET");
    request.target = target(config);
    http::Fields& fields = request.fields;
    const bool own = config.contains("request_headers");
    if (!npm_ || !own) {
      fields.add("Pragma", "foo");
      fields.add("Cache-Control", "nothing-to-see-here");
    }
    if (own) {
      for (const Json& header : config["request_headers"]) {
        std::int64_t base = now_ms();
        if (config.value("magic_ims", false) && index > 0)
          base = number_of(get(responses_[index - 1].fields, "Server-Now"));
        fields.add(header[0].get<std::string>(), http::trim(fix_value(header, config, base, "")));
      }
    }
    fields.add("Test-ID", id_);
    fields.add("Req-Num", std::to_string(index + 1));
    fields.add("Accept", "*/*");
    fields.add("Accept-Encoding", "gzip, deflate");
    fields.add("User-Agent", "node");
    if (config.contains("request_body"))
      fields.add("Content-Length", std::to_string(config["request_body"].get<std::string>().size()));
    return request;
  }

  void step(ModelCache& cache, std::size_t index) {
    const Json& config = requests_[index];
    const http::Request request = make_request(config, index);
    interim_seen_ = 0;
    if (dump_) print("> " + request.method + " " + request.target, request.fields);
    Message response = cache.request(request);
    if (dump_) print("< " + std::to_string(response.status), response.fields);
    responses_.push_back(std::move(response));
    check_response(config, index);
    clock_.advance(std::chrono::milliseconds(4));
    const bool pause = npm_ ? config.contains("pause_after") : config.value("pause_after", false);
    if (pause) clock_.advance(std::chrono::seconds(3));
  }

  void check_response(const Json& config, std::size_t index) const {
    const Message& response = responses_[index];
    const auto number = static_cast<std::int64_t>(index + 1);
    const std::string which = "response " + std::to_string(number);
    const std::int64_t origin_number = number_of(get(response.fields, "Server-Request-Count"));
    std::istringstream seen(get(response.fields, "Request-Numbers").value_or(""));
    std::set<std::string> distinct;
    for (std::string word; seen >> word;) check(true, distinct.insert(word).second, "retry");
    if (config.contains("expected_type")) {
      const bool setup = is_setup(config, "expected_type");
      if (config["expected_type"] == "cached" && !(response.status == 304 && origin_number < 0))
        check(setup, origin_number >= 0 && origin_number < number, which + " does not come from cache");
      if (config["expected_type"] == "not_cached") check(setup, origin_number == number, which + " comes from cache");
    }
    check_status(config, response, which);
    check_fields(config, response, which);
    if (config.contains("expected_interim_responses"))
      check(is_setup(config, "expected_interim_responses"),
            interim_seen_ == config["expected_interim_responses"].size(), which + ": interim responses");
    check_body(config, response, which);
  }

  void check_status(const Json& config, const Message& response, const std::string& which) const {
    const std::string got = which + " has status " + std::to_string(response.status);
    if (config.contains("expected_status")) {
      if (config["expected_status"].is_null()) return check(is_setup(config, "expected_status"), !npm_, got);
      check(is_setup(config, "expected_status"), config["expected_status"] == response.status, got);
    } else if (config.contains("response_status")) {
      check(true, config["response_status"][0] == response.status, got);
    } else if (response.status == 999) {
      check(is_setup(config, "expected_type"), false, which + ": request should have been conditional");
    } else {
      check(true, response.status == 200, got);
    }
  }

  void check_fields(const Json& config, const Message& response, const std::string& which) const {
    const std::int64_t server_now = number_of(get(response.fields, "Server-Now"));
    const std::string base = get(response.fields, "Server-Base-Url").value_or("");
    const bool present = is_setup(config, "expected_response_headers");
    for (const Json& header : config.value("expected_response_headers", Json::array())) {
      const std::string name = header.is_string() ? header.get<std::string>() : header[0].get<std::string>();
      const auto value = get(response.fields, name);
      const std::string got = which + ": " + name + " is " + value.value_or("missing");
      if (header.is_string()) {
        check(present, value.has_value(), got);
      } else if (header.size() == 2) {
        check(present, value == fix_value(header, config, server_now, base), got);
      } else if (header[1] == "=") {
        check(present, value && value == get(response.fields, header[2].get<std::string>()), got);
      } else {
        check(present, value && number_of(value) > header[2].get<std::int64_t>(), got);
      }
    }
    for (const Json& header : config.value("expected_response_headers_missing", Json::array()))
      if (header.is_string())
        check(is_setup(config, "expected_response_headers_missing"), !response.fields.has(header.get<std::string>()),
              which + ": unexpected " + header.get<std::string>());
  }

  void check_body(const Json& config, const Message& response, const std::string& which) const {
    if (!config.value("check_body", true)) return;
    const std::string got = which + " has body \"" + response.body + "\"";
    if (config.contains("expected_response_text")) {
      if (!config["expected_response_text"].is_null())
        check(is_setup(config, "expected_response_text"), config["expected_response_text"] == response.body, got);
    } else if (config.contains("response_body") && !config["response_body"].is_null()) {
      check(true, config["response_body"] == response.body, got);
    } else if (response.status != 204 && response.status != 304 && config.value("request_method", "GET") != "HEAD") {
      check(true, response.body == kUuid, got);
    }
  }

  void check_origin_side() const {
    std::size_t at = 0;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      const Json& config = requests_[i];
      const std::string type = config.value("expected_type", "");
      const bool setup = is_setup(config, "expected_type");
      const std::string which = "request " + std::to_string(i + 1);
      if (type == "cached") continue;
      const SeenRequest* seen = at < seen_.size() ? &seen_[at] : nullptr;
      if (type == "not_cached")
        check(setup && seen != nullptr, seen != nullptr && seen->number == static_cast<std::int64_t>(i + 1),
              which + " did not reach the origin");
      ++at;
      if (type == "etag_validated")
        check(setup, seen != nullptr && seen->fields.has("If-None-Match"), which + " has no If-None-Match");
      if (type == "lm_validated")
        check(setup, seen != nullptr && seen->fields.has("If-Modified-Since"), which + " has no If-Modified-Since");
      check_seen(config, seen, which);
      if (seen == nullptr) continue;
      for (const auto& [name, value] : seen->saved) {
        if (http::iequals(name, "date")) continue;
        check(true, get(responses_[i].fields, name) == value,
              which + ": " + name + " is " + get(responses_[i].fields, name).value_or("missing") + ", origin sent " +
                  value);
      }
      if (config.contains("expected_method"))
        check(is_setup(config, "expected_method"), config["expected_method"] == seen->method,
              which + " had method " + seen->method);
    }
  }

  static void check_seen(const Json& config, const SeenRequest* seen, const std::string& which) {
    for (const Json& header : config.value("expected_request_headers", Json::array())) {
      const std::string name = header.is_string() ? header.get<std::string>() : header[0].get<std::string>();
      const auto value = seen != nullptr ? get(seen->fields, name) : std::nullopt;
      check(is_setup(config, "expected_request_headers"), value && (header.is_string() || *value == text_of(header[1])),
            which + ": " + name + " is " + value.value_or("missing"));
    }
    for (const Json& header : config.value("expected_request_headers_missing", Json::array())) {
      const std::string name = header.is_string() ? header.get<std::string>() : header[0].get<std::string>();
      const auto value = seen != nullptr ? get(seen->fields, name) : std::nullopt;
      check(is_setup(config, "expected_request_headers_missing"),
            header.is_string() ? !value : value != text_of(header[1]), which + ": " + name + " is there");
    }
  }

  // ---- the suite's origin

  static const Json* header_of(const Json& config, const char* name) {
    const Json* found = nullptr;
    if (config.contains("response_headers"))
      for (const Json& header : config["response_headers"])
        if (http::iequals(header[0].get<std::string>(), name)) found = &header;
    return found;
  }

  std::int64_t sent_at(std::size_t index) const {
    const auto found = sent_at_.find(index);
    return found == sent_at_.end() ? 0 : found->second;
  }

  int status_for(const Json& config, const http::Request& request, std::size_t index) const {
    const std::string type = config.value("expected_type", "");
    if (!type.ends_with("validated"))
      return config.contains("response_status") ? config["response_status"][0].get<int>() : 200;
    for (const auto& [validator, condition] :
         {std::pair("Last-Modified", "If-Modified-Since"), std::pair("ETag", "If-None-Match")}) {
      const Json* previous = header_of(requests_[index - 1], validator);
      if (previous == nullptr) continue;
      const auto sent = get(request.fields, condition);
      if (sent && sent == fix_value(*previous, requests_[index - 1], sent_at(index - 1), "")) return 304;
    }
    return 999;
  }

  std::optional<Message> origin(const http::Request& request) {
    const std::int64_t number = number_of(get(request.fields, "Req-Num"));
    const auto index = static_cast<std::size_t>(number - 1);
    const Json& config = requests_[index];
    clock_.advance(std::chrono::milliseconds(1));
    if (config.contains("response_pause")) clock_.advance(std::chrono::seconds(config["response_pause"].get<int>()));
    sent_at_[index] = now_ms();
    Message response;
    response.status = status_for(config, request, index);
    SeenRequest seen{number, request.method, request.fields, {}};
    if (config.contains("interim_responses")) interim_seen_ = config["interim_responses"].size();
    response.fields.add("Server-Base-Url", request.target);
    response.fields.add("Server-Request-Count", std::to_string(seen_.size() + 1));
    response.fields.add("Client-Request-Count", std::to_string(number));
    response.fields.add("Server-Now", std::to_string(now_ms()));
    for (const Json& header : config.value("response_headers", Json::array())) {
      const std::string name = header[0].get<std::string>();
      response.fields.add(name, fix_value(header, config, now_ms(), request.target));
      if (header.size() < 3 || header[2] == true) {
        std::erase_if(seen.saved, [&](const auto& one) { return one.first == name; });
        seen.saved.emplace_back(name, response.fields.joined(name));
      }
    }
    finish_origin_answer(response, config, request);
    seen_.push_back(std::move(seen));
    std::string numbers;
    for (const SeenRequest& one : seen_) numbers += (numbers.empty() ? "" : " ") + std::to_string(one.number);
    response.fields.add("Request-Numbers", numbers);
    if (dump_)
      print("    > " + request.method, request.fields),
          print("    < " + std::to_string(response.status), response.fields);
    if (config.value("disconnect", false)) return std::nullopt;
    return response;
  }

  // What Node adds by itself, and the body.
  void finish_origin_answer(Message& response, const Json& config, const http::Request& request) const {
    http::Fields& fields = response.fields;
    if (!fields.has("Content-Type")) fields.add("Content-Type", "text/plain");
    if (!fields.has("Date")) fields.add("Date", http::format_http_date(clock_.wall_now()));
    fields.add("Connection", "keep-alive");
    fields.add("Keep-Alive", "timeout=5");
    if (response.status == 204 || response.status == 304) return;
    std::string body = config.contains("response_body") && config["response_body"].is_string()
                           ? config["response_body"].get<std::string>()
                           : kUuid;
    if (const auto length = number_of(get(fields, "Content-Length")); length >= 0)
      body.resize(std::min(body.size(), static_cast<std::size_t>(length)));
    else
      fields.add("Content-Length", std::to_string(body.size()));
    if (request.method != "HEAD") response.body = std::move(body);
  }

  static void print(const std::string& first, const http::Fields& fields) {
    std::cout << first << "\n";
    for (const http::Field& field : fields) std::cout << "      " << field.name << ": " << field.value << "\n";
  }

  inline static const std::string kUuid = "12345678-90ab-4cde-8f01-234567890abc";
  const Json requests_;
  const bool npm_;
  const bool dump_;
  const std::string id_;
  ManualClock clock_;
  std::vector<Message> responses_;
  std::vector<SeenRequest> seen_;
  std::map<std::size_t, std::int64_t> sent_at_;
  std::size_t interim_seen_ = 0;
};

struct Graded {
  std::string kind;
  std::vector<std::string> depends_on;
  std::optional<CheckFailed> failed;
};

using Grades = std::map<std::string, Graded>;

bool passes(const Grades& grades, const std::string& id) {
  const auto found = grades.find(id);
  if (found == grades.end() || found->second.failed) return false;
  return std::all_of(found->second.depends_on.begin(), found->second.depends_on.end(),
                     [&](const std::string& one) { return passes(grades, one); });
}

// Phases of the second, so that no result hangs on where in it a test began.
constexpr std::chrono::milliseconds kPhases[] = {std::chrono::milliseconds(0), std::chrono::milliseconds(497),
                                                 std::chrono::milliseconds(991)};

Grades run_all(const Json& suite, const std::string& dump) {
  Grades grades;
  const bool npm = suite["dialect"] == "npm";
  for (const Json& group : suite["groups"]) {
    for (const Json& test : group["tests"]) {
      if (test.value("browser_only", false)) continue;
      const std::string id = test["id"];
      if (!dump.empty() && id != dump) continue;
      Graded graded{test.value("kind", "required"), test.value("depends_on", std::vector<std::string>{}), std::nullopt};
      for (const auto phase : kPhases)
        if (!graded.failed) graded.failed = TestRun(test, npm, phase, !dump.empty()).run();
      grades.emplace(id, std::move(graded));
    }
  }
  return grades;
}

void print_failure(const Grades& grades, const std::string& id) {
  const auto found = grades.find(id);
  if (found == grades.end()) return void(std::cout << "  " << id << ": not in the suite\n");
  const auto& failed = found->second.failed;
  std::cout << "  " << id << " (" << found->second.kind
            << "): " << (failed ? (failed->setup ? "setup: " : "") + failed->message : "a dependency failed") << "\n";
}

// Counts by the suite's own kinds.
void report_kinds(const Grades& grades) {
  for (const char* kind : {"required", "optimal", "check"}) {
    int passed = 0, failed = 0;
    for (const auto& [id, graded] : grades)
      if (graded.kind == kind) ++(passes(grades, id) ? passed : failed);
    std::cout << kind << ": " << passed << " passed, " << failed << " failed\n";
    for (const auto& [id, graded] : grades)
      if (graded.kind == kind && !passes(grades, id)) print_failure(grades, id);
  }
}

struct Tiers {
  int must_failed = 0;
  int want_passed = 0;
};

// Counts by our tiers.
Tiers report_tiers(const Grades& grades, const std::string& path, bool private_column) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::map<std::string, std::pair<int, int>> counts;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::vector<std::string> columns;
    std::istringstream split(line);
    for (std::string column; std::getline(split, column, '\t');) columns.push_back(column);
    if (columns.size() < 5) throw std::runtime_error("not a row of the table: " + line);
    const std::string& id = columns[1];
    const std::string& tier = columns[private_column ? 4 : 3];
    const bool passed = passes(grades, id);
    ++(passed ? counts[tier].first : counts[tier].second);
    if (!passed && (tier == "must" || tier == "want")) print_failure(grades, id);
  }
  for (const auto& [tier, count] : counts)
    std::cout << tier << ": " << count.first << " passed, " << count.second << " failed\n";
  return {counts["must"].second, counts["want"].first};
}

}  // namespace

int main(int argc, char** argv) try {
  std::string suite, judged, dump, column = "shared";
  int want = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--dump" && i + 1 < argc)
      dump = argv[++i];
    else if (argument == "--column" && i + 1 < argc)
      column = argv[++i];
    else if (argument == "--want" && i + 1 < argc)
      want = std::stoi(argv[++i]);
    else
      (suite.empty() ? suite : judged) = argument;
  }
  std::ifstream in(suite);
  if (!in) throw std::runtime_error("cannot read the suite: " + suite);
  const Grades grades = run_all(Json::parse(in), dump);
  if (!dump.empty()) {
    for (const auto& [id, graded] : grades) print_failure(grades, id);
    return 0;
  }
  if (!judged.empty()) {
    const Tiers tiers = report_tiers(grades, judged, column == "private");
    return tiers.must_failed == 0 && tiers.want_passed >= want ? 0 : 1;
  }
  report_kinds(grades);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "engine_driver: " << error.what() << "\n";
  return 2;
}
