// SPDX-License-Identifier: Apache-2.0
#include "standin/world_builder.hpp"

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "json.hpp"
#include "shapes.hpp"
#include "standin/coding.hpp"
#include "standin/recordings.hpp"

namespace ghmesh::standin {
namespace {

constexpr double kSmallestFile = 1024;
constexpr double kLargestFile = 200.0 * 1024;
constexpr std::uint64_t kFirstRun = 30433600;

// Fills one repository; keeps the paths it answers.
class Founder {
 public:
  Founder(World& world, const Repository& repository, const SyntheticPlan& plan, ShapeContext context,
          std::uint64_t seed)
      : world_(world),
        r_(repository),
        plan_(plan),
        c_(std::move(context)),
        seed_(seed),
        root_("/repos/" + repository.full_name) {}

  void build(std::vector<std::string>& paths) {
    paths_ = &paths;
    repository();
    labels();
    issues();
    pulls();
    code();
    files();
    runs();
    release();
  }

 private:
  Document& put(const std::string& path, const Json& value) {
    paths_->push_back(path);
    return world_.put_json(path, to_compact(value), c_.now);
  }

  void repository() {
    Json whole = repository_shape(c_, r_);
    whole["open_issues_count"] = plan_.issues + plan_.pulls;
    Document& d = put(root_, whole);
    // The later API version dropped members; bodies differ though no Vary says so.
    whole.erase("has_downloads");
    d.variants["2026-03-10"] = to_compact(whole);
    put(root_ + "/languages", Json{{"C++", 204813}, {"Python", 4211}});
    Document& statistics =
        world_.put_json(root_ + "/stats/contributors",
                        "[{\"total\":135,\"weeks\":[{\"w\":1367712000,\"a\":6898,\"d\":77,\"c\":10}]}]", c_.now);
    statistics.pending = 1;
  }

  void labels() {
    Json list = Json::array();
    for (const auto& [name, color] :
         {std::pair{"bug", "d73a4a"}, {"enhancement", "a2eeef"}, {"good first issue", "7057ff"}}) {
      list.push_back(label_shape(c_, r_, name, color));
      put(root_ + "/labels/" + name, list.back());
    }
    put(root_ + "/labels", list);
  }

  void issues() {
    Json list = Json::array();
    for (std::uint32_t i = plan_.issues; i > 0; --i) {
      const std::string number = std::to_string(i);
      Json issue = issue_shape(c_, r_, i, "Issue " + number, synthetic_text(seed_ + i, 300 + i * 7 % 400));
      Json comments = Json::array();
      if (i == 1) {
        for (std::uint64_t n = 1; n <= 3; ++n) {
          comments.push_back(comment_shape(c_, r_, r_.id * 100 + n, i, "Comment " + std::to_string(n)));
          put(root_ + "/issues/comments/" + std::to_string(r_.id * 100 + n), comments.back());
        }
        issue["comments"] = 3;
      }
      put(root_ + "/issues/" + number, issue);
      put(root_ + "/issues/" + number + "/comments", comments);
      list.push_back(std::move(issue));
    }
    put(root_ + "/issues", list);
  }

  void pulls() {
    Json list = Json::array();
    for (std::uint32_t i = plan_.pulls; i > 0; --i) {
      const std::uint32_t number = plan_.issues + i;
      const std::string path = root_ + "/pulls/" + std::to_string(number);
      const Json pull = pull_shape(c_, r_, number, "Change " + std::to_string(i), synthetic_text(seed_ ^ number, 500),
                                   "topic-" + std::to_string(i), "main");
      Document& d = put(path, pull);
      d.variants["diff"] =
          "diff --git a/README.md b/README.md\n--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-old\n+change " +
          std::to_string(i) + "\n";
      d.variants["patch"] = "From " + fake_sha(path) + " Mon Sep 17 00:00:00 2001\n" + d.variants["diff"];
      put(path + "/files", Json::array({Json{{"sha", fake_sha(path)},
                                             {"filename", "README.md"},
                                             {"status", "modified"},
                                             {"additions", 1},
                                             {"deletions", 1},
                                             {"changes", 2}}}));
      put(path + "/reviews", Json::array());
      list.push_back(pull);
    }
    put(root_ + "/pulls", list);
  }

  void code() {
    Json commits = Json::array();
    std::string parent;
    for (int i = 1; i <= 5; ++i) {
      const std::string sha = fake_sha(r_.full_name + std::to_string(i));
      commits.insert(commits.begin(), commit_shape(c_, r_, "Commit " + std::to_string(i), sha, parent));
      put(root_ + "/commits/" + sha, commits.front());
      parent = sha;
    }
    put(root_ + "/commits", commits);
    Json branch{{"name", "main"},
                {"commit", Json{{"sha", parent}, {"url", c_.api + root_ + "/commits/" + parent}}},
                {"protected", false}};
    put(root_ + "/branches", Json::array({branch}));
    put(root_ + "/branches/main", branch);
    const Json ref = reference_shape(c_, r_, "refs/heads/main", parent);
    put(root_ + "/git/refs/heads/main", ref);
    put(root_ + "/git/ref/heads/main", ref);
    put(root_ + "/git/refs", Json::array({ref}));
    put(root_ + "/commits/" + parent + "/statuses", Json::array());
    put(root_ + "/commits/" + parent + "/check-runs", Json{{"total_count", 0}, {"check_runs", Json::array()}});
    for (const char* kind : {"tarball", "zipball"}) {
      const std::string blob = r_.full_name + "/" + kind;
      world_.put_blob(blob, synthetic_text(seed_, 20'000), "application/x-gzip");
      Document d;
      d.redirect = blob;
      world_.put(root_ + "/" + kind + "/main", std::move(d));
    }
  }

  void files() {
    const std::string readme = "# " + r_.full_name + "\n\nA repository of the stand-in.\n";
    put(root_ + "/readme", content_shape(c_, r_, "README.md", readme)).variants["raw"] = readme;
    put(root_ + "/contents/README.md", content_shape(c_, r_, "README.md", readme)).variants["raw"] = readme;
    for (std::uint32_t i = 0; i < plan_.files; ++i) {
      const double part = plan_.files > 1 ? static_cast<double>(i) / (plan_.files - 1) : 0;
      const double size = kSmallestFile * std::pow(kLargestFile / kSmallestFile, part);
      // base64 and the other members take up a third of the body and about 700 octets.
      const std::string text =
          synthetic_text(seed_ * 31 + i, static_cast<std::size_t>(std::max(64.0, (size - 700) * 3 / 4)));
      const std::string path = "data/file-" + std::to_string(i) + ".txt";
      put(root_ + "/contents/" + path, content_shape(c_, r_, path, text)).variants["raw"] = text;
    }
  }

  void runs() {
    Json list = Json::array();
    for (std::uint32_t i = plan_.runs; i > 0; --i) {
      const std::uint64_t id = kFirstRun + r_.id * 1000 + i;
      const Json run =
          run_shape(c_, r_, id, i % 3 == 0 ? "topic" : "main", i == plan_.runs ? "in_progress" : "completed");
      const std::string path = root_ + "/actions/runs/" + std::to_string(id);
      put(path, run);
      put(path + "/jobs",
          Json{{"total_count", 1},
               {"jobs", Json::array({Json{{"id", id * 10},
                                          {"run_id", id},
                                          {"name", "build"},
                                          {"status", "completed"},
                                          {"conclusion", "success"},
                                          {"url", c_.api + root_ + "/actions/jobs/" + std::to_string(id * 10)}}})}});
      Document log;
      log.redirect = r_.full_name + "/logs/" + std::to_string(id);
      world_.put_blob(log.redirect, synthetic_text(id, 5000), "application/zip");
      world_.put(path + "/logs", std::move(log));
      list.push_back(run);
    }
    put(root_ + "/actions/runs", Json{{"total_count", list.size()}, {"workflow_runs", list}});
    const Json workflow{{"id", 159038},
                        {"node_id", node_id(root_ + "/actions/workflows/159038")},
                        {"name", "CI"},
                        {"path", ".github/workflows/ci.yml"},
                        {"state", "active"},
                        {"created_at", iso_date(c_.now)},
                        {"updated_at", iso_date(c_.now)},
                        {"url", c_.api + root_ + "/actions/workflows/159038"}};
    put(root_ + "/actions/workflows", Json{{"total_count", 1}, {"workflows", Json::array({workflow})}});
    put(root_ + "/actions/workflows/159038", workflow);
    put(root_ + "/actions/workflows/159038/runs", Json{{"total_count", list.size()}, {"workflow_runs", list}});
  }

  void release() {
    const std::string content = synthetic_text(seed_ + 7, 4096);
    const std::uint64_t asset_id = r_.id * 10;
    Json release = release_shape(c_, r_, r_.id, "v1.0.0");
    const Json asset = asset_shape(c_, r_, asset_id, "tool.tar.gz", content.size());
    release["assets"].push_back(asset);
    put(root_ + "/releases/assets/" + std::to_string(asset_id), asset).redirect =
        r_.full_name + "/asset/" + std::to_string(asset_id);
    world_.put_blob(r_.full_name + "/asset/" + std::to_string(asset_id), content);
    put(root_ + "/releases/" + std::to_string(r_.id), release);
    put(root_ + "/releases/" + std::to_string(r_.id) + "/assets", release["assets"]);
    put(root_ + "/releases/tags/v1.0.0", release);
    put(root_ + "/releases/latest", release);
    put(root_ + "/releases", Json::array({release}));
  }

  World& world_;
  const Repository& r_;
  const SyntheticPlan& plan_;
  ShapeContext c_;
  std::uint64_t seed_;
  std::string root_;
  std::vector<std::string>* paths_ = nullptr;
};

// "/repos/o/r/…" gives "o/r".
std::string repository_in(std::string_view path) {
  if (!path.starts_with("/repos/")) return {};
  const std::size_t name = path.find('/', 7);
  if (name == std::string_view::npos) return {};
  return std::string(path.substr(7, std::min(path.find('/', name + 1), path.size()) - 7));
}

std::string_view media_parameter(std::string_view type) {
  for (const std::string_view known : {"diff", "patch", "sha", "raw", "object", "star", "html"})
    if (type.find(std::string(".") + std::string(known)) != std::string_view::npos) return known;
  return {};
}

// The pages of one recorded list were recorded at /repositories/1000; put together they are the list itself.
constexpr std::string_view kPagedRepository = "octokit-fixture-org/paginate-issues";
constexpr std::uint64_t kPagedId = 1000;

}  // namespace

std::string synthetic_text(std::uint64_t seed, std::size_t size) {
  static constexpr std::string_view kWords[] = {"request", "cache",  "peer",   "runner", "token",  "answer", "fresh",
                                                "stale",   "proof",  "quota",  "mesh",   "origin", "entry",  "field",
                                                "octet",   "window", "commit", "branch", "the",    "of"};
  SeededRandom random(seed);
  std::string out;
  while (out.size() < size) {
    const std::uint64_t draw = random.next_u64();
    out += kWords[draw % std::size(kWords)];
    out += draw % 11 == 0 ? "\n" : " ";
    if (draw % 5 == 0) out += std::to_string(draw % 100'000);
  }
  out.resize(size);
  return out;
}

std::vector<std::string> build_synthetic(World& world, const SyntheticPlan& plan, WallTime now,
                                         const std::string& api) {
  std::vector<std::string> paths;
  for (std::uint32_t i = 1; i <= plan.repositories; ++i) {
    const bool is_private = i > plan.repositories - std::min(plan.private_repositories, plan.repositories);
    const Repository& r = world.add_repository(plan.owner + "/repo-" + std::to_string(i), is_private);
    ShapeContext context;
    context.api = api;
    context.now = now;
    Founder(world, r, plan, context, plan.seed * 1'000'003 + i).build(paths);
  }
  // Redirecting paths and statistics have no tag.
  std::erase_if(paths, [&](const std::string& path) {
    return world.find(path) == nullptr || !world.find(path)->redirect.empty();
  });
  return paths;
}

std::vector<std::string> mount_recordings(World& world) {
  std::vector<std::string> paths;
  world.add_repository(kPagedRepository, false, kPagedId);
  for (const Recording& r : recordings()) {
    if (r.method != "GET" || r.status != 200) continue;
    const std::string path = percent_decode(r.path.substr(0, r.path.find('?')), false);
    if (path.starts_with("/repositories/") || path == "/rate_limit" || path == "/user") {
      const std::string list = "/repos/" + std::string(kPagedRepository) + "/issues";
      if (path == "/repositories/1000/issues" && world.find(list) != nullptr)
        for (const Json& element : parse_json(r.body)) world.append(list, to_compact(element));
      continue;
    }
    const std::string_view parameter = media_parameter(r.type);
    if (Document* there = world.find(path)) {
      if (!parameter.empty()) there->variants.try_emplace(std::string(parameter), r.body);
      continue;
    }
    if (const std::string name = repository_in(path); !name.empty()) world.add_repository(name);
    Document& d = world.put_json(path, r.body, parse_http_date(r.modified).value_or(WallTime{}));
    if (r.modified.empty()) d.modified.reset();
    d.type = r.type;
    d.needs_token = r.needs_token;
    if (path.starts_with("/search/") || path.ends_with("/alerts")) d.tagged = false;
    paths.push_back(path);
  }
  return paths;
}

}  // namespace ghmesh::standin
