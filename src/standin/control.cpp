// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "exchange.hpp"

// The control API, for tests that drive the stand-in as a program. All under /_model/, JSON in and out:
//   GET  log?after=N        {"entries":[…]} of the journal whose number is above N
//   GET  counters           {"total":{…},"tokens":{fingerprint:{…}}}
//   POST fault              one fault (faults.hpp); POST faults/clear forgets them
//   POST set                {"path":…,"body":value} or {"path":…,"text":…}: an object, its lists too
//   POST append             {"path":list,"item":value}; {"front":true} puts it first
//   POST touch | remove     {"path":…}
//   POST repository         {"name":…,"private":bool}; POST rename {"from":…,"to":…}
//   POST token              {"value":…,"login":…,"repositories":[…],"everything":bool} or {"value":…,"job":repository};
//                           {"value":…,"revoke":true} removes it
//   POST formula            {"name":"measured|salted|truncated|prefix|anything"}
//   POST quota              {"user_core":N,"job_core":N,"anonymous_core":N,"secondary":bool}
//   POST reset              forgets journal, counters, faults and spent quota; the world stays
// A request that is understood gets 200, otherwise 400 with {"error":…}.

namespace ghmesh::standin {
namespace {

Json counters_json(const Counters& c) {
  return Json{{"total", c.total},
              {"charged", c.charged},
              {"free_304", c.free_304},
              {"charged_304", c.charged_304},
              {"conditional", c.conditional},
              {"primary_limited", c.primary_limited},
              {"secondary_limited", c.secondary_limited},
              {"denied", c.denied},
              {"most_concurrent", c.most_concurrent}};
}

Json entry_json(const JournalEntry& e) {
  return Json{{"number", e.number},
              {"time_ms", std::chrono::duration_cast<std::chrono::milliseconds>(e.time.time_since_epoch()).count()},
              {"method", e.method},
              {"target", e.target},
              {"token", e.token},
              {"budget", e.budget},
              {"resource", e.resource},
              {"status", e.status},
              {"charged", e.charged},
              {"conditional", e.conditional},
              {"body_size", e.body_size}};
}

bool set_formula(GithubModel& model, const std::string& name) {
  static constexpr std::pair<std::string_view, TagFormula> kNames[] = {{"measured", TagFormula::Measured},
                                                                       {"salted", TagFormula::Salted},
                                                                       {"truncated", TagFormula::Truncated},
                                                                       {"prefix", TagFormula::PrefixOnly},
                                                                       {"anything", TagFormula::MatchAnything}};
  for (const auto& [known, formula] : kNames) {
    if (name != known) continue;
    model.settings.formula = formula;
    return true;
  }
  return false;
}

bool set_token(GithubModel& model, const Json& in) {
  const std::string value = text_of(in, "value");
  if (value.empty()) return false;
  if (in.value("revoke", false)) return model.tokens.remove(value);
  if (const std::string job = text_of(in, "job"); !job.empty()) {
    model.tokens.add_job(value, job);
    return true;
  }
  std::set<std::string> repositories;
  for (const Json& name : in.value("repositories", Json::array()))
    if (name.is_string()) repositories.insert(name.get<std::string>());
  const std::string login = text_of(in, "login");
  model.tokens.add_user(value, login.empty() ? "octocat" : login, std::move(repositories)).everything =
      in.value("everything", false);
  return true;
}

bool set_quota(GithubModel& model, const Json& in) {
  QuotaRules& rules = model.quota.rules;
  const std::pair<const char*, std::uint32_t*> numbers[] = {{"user_core", &rules.user_core},
                                                            {"job_core", &rules.job_core},
                                                            {"anonymous_core", &rules.anonymous_core},
                                                            {"user_graphql", &rules.user_graphql},
                                                            {"concurrent", &rules.concurrent},
                                                            {"points_per_minute", &rules.points_per_minute},
                                                            {"content_per_minute", &rules.content_per_minute}};
  for (const auto& [name, number] : numbers)
    if (in.contains(name) && in[name].is_number_unsigned()) *number = in[name].get<std::uint32_t>();
  rules.secondary = in.value("secondary", rules.secondary);
  return true;
}

bool set_document(GithubModel& model, const Json& in, const std::string& path, WallTime now) {
  if (path.empty() || (!in.contains("body") && !in.contains("text"))) return false;
  if (in.contains("body")) {
    model.world.set_object(path, to_compact(in["body"]), now);
    return true;
  }
  Document d;
  d.body = text_of(in, "text");
  d.type = in.value("type", std::string("text/plain; charset=utf-8"));
  model.world.put(path, std::move(d));
  return true;
}

void forget(GithubModel& model) {
  model.journal.clear();
  model.faults.clear();
  model.quota.forget();
}

// Whether the command is known and its arguments make sense.
bool command(GithubModel& model, std::string_view name, const Json& in, const std::string& body, WallTime now) {
  const std::string path = text_of(in, "path");
  if (name == "fault") {
    Result<FaultRule> rule = parse_fault(body);
    if (rule) model.faults.add(std::move(*rule));
    return rule.has_value();
  }
  if (name == "faults/clear") return model.faults.clear(), true;
  if (name == "set") return set_document(model, in, path, now);
  if (name == "append" && in.contains("item"))
    return in.value("front", false) ? model.world.prepend(path, to_compact(in["item"]))
                                    : model.world.append(path, to_compact(in["item"]));
  if (name == "touch") return model.world.touch(path, now);
  if (name == "remove") return model.world.remove(path);
  if (name == "repository" && !text_of(in, "name").empty()) {
    model.world.add_repository(text_of(in, "name"));
    return model.world.set_private(text_of(in, "name"), in.value("private", false));
  }
  if (name == "rename") {
    const bool renamed = model.world.rename(text_of(in, "from"), text_of(in, "to"));
    if (renamed) model.tokens.rename_repository(text_of(in, "from"), text_of(in, "to"));
    return renamed;
  }
  if (name == "token") return set_token(model, in);
  if (name == "formula") return set_formula(model, text_of(in, "name"));
  if (name == "quota") return set_quota(model, in);
  if (name == "reset") return forget(model), true;
  return false;
}

}  // namespace

Response control(GithubModel& model, const Request& request, WallTime now) {
  std::string_view target = request.target;
  target.remove_prefix(target.find("/_model/") + 8);
  const std::size_t mark = target.find('?');
  const std::string_view name = target.substr(0, mark);
  Json out = Json::object();
  bool known = true;
  if (request.method == "GET" && name == "log") {
    std::uint64_t after = 0;
    if (mark != std::string_view::npos)
      for (const auto& [key, value] : parse_query(target.substr(mark + 1)))
        if (key == "after") after = std::strtoull(value.c_str(), nullptr, 10);
    Json entries = Json::array();
    for (const JournalEntry& e : model.journal.entries())
      if (e.number > after) entries.push_back(entry_json(e));
    out["entries"] = std::move(entries);
  } else if (request.method == "GET" && name == "counters") {
    out["total"] = counters_json(model.journal.total());
    out["tokens"] = Json::object();
    for (const auto& [token, counters] : model.journal.by_token())
      out["tokens"][token.empty() ? "anonymous" : token] = counters_json(counters);
  } else {
    const Json in = request.body.empty() ? Json::object() : parse_json(request.body);
    // Members of a wrong type make value() throw; that is the tester's mistake, not ours.
    try {
      known = request.method == "POST" && in.is_object() && command(model, name, in, request.body, now);
    } catch (const Json::exception&) {
      known = false;
    }
    if (!known) out["error"] = "not understood";
  }
  Response response;
  response.status = known ? 200 : 400;
  response.body = to_compact(out);
  response.fields.add("Content-Type", "application/json");
  response.fields.add("Content-Length", std::to_string(response.body.size()));
  response.fields.add("Cache-Control", "no-store");
  return response;
}

}  // namespace ghmesh::standin
