// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"

// What a path of GitHub's REST API is to a cache: how it ages, who else may ever see a copy, what shape its body has.
// The knowledge is a table one can read (resource_table.cpp); a path that no row knows ages like the default class and
// is never shared. Pure functions; views point into the path given or into static text.

namespace ghmesh::github {

enum class ResourceClass : std::uint8_t {
  Immutable,   // addressed by a full object name: git commits, trees, blobs, tags
  Volatile,    // moves while a job looks: runs, checks, statuses, refs, events; and what gates a merge or a deployment
  Default,     // everything else that may be kept
  PerUser,     // means something only to the token that asked
  NeverStore,  // /rate_limit, alert bodies with secrets in them
  Search,      // no validator, answers change by themselves
  Download,    // redirects to signed URLs and bulk data: streamed through
  GraphQl,     // POST /graphql, judged by graphql.hpp
};
std::string_view to_string(ResourceClass cls);

// Who may ever be handed a body that a request of someone else brought in, and then only by proof. A body must also
// pass the scanner before it leaves the node.
enum class Share : std::uint8_t {
  Never,       // the token that fetched it
  Node,        // other tokens of this node
  Repository,  // peers with a right to that repository; everybody while it is public
  Public,      // any admitted peer
};
std::string_view to_string(Share share);

enum class Shape : std::uint8_t {
  Item,     // an object (or nothing)
  Array,    // an array that is not paged
  List,     // a paged array: Link is outside the tag (proof.md rules 9 and 10)
  Wrapped,  // a paged object with total_count
};

struct Resource {
  ResourceClass cls = ResourceClass::Default;
  Share share = Share::Never;
  Shape shape = Shape::Item;
  bool known = false;              // a row of the table said so
  std::string_view family;         // the row's pattern ("git/blobs/{sha}"); "other" if no row knows the path
  std::string_view owner, repo;    // of /repos/OWNER/REPO…
  std::string_view repository_id;  // of /repositories/ID…
  std::string_view rest;           // below the repository, or the whole path, without the leading slash

  bool of_repository() const { return !repo.empty() || !repository_id.empty(); }
  bool is_list() const { return shape == Shape::List; }
  // Jobs of one numbered attempt of a run: they stand still once all of them have completed (attempt_is_finished).
  bool attempt_jobs() const { return family == "actions/runs/{}/attempts/{}/jobs"; }
};

// path is below the API's root (Route::path), without query. accept is the canonical Accept: asking for
// application/octet-stream is a download whatever the path says. Methods other than GET and HEAD give NeverStore.
Resource classify(std::string_view method, std::string_view path, std::string_view accept = {});

// Whether bytes held for another token (or brought by a peer) may be offered to GitHub for this one.
bool may_prove_across_tokens(const Resource& resource);

// Whether a jobs answer of one attempt lists all of its jobs and all of them have completed: then it is immutable.
bool attempt_is_finished(std::string_view body);

// The two names of one repository: /repos/OWNER/REPO and, where Link and redirects point, /repositories/ID. Learnt from
// bodies of the repository itself, forgotten after ten minutes, since names can be given to another repository.
// One thread.
class RepositoryNames {
 public:
  // full_name is "OWNER/REPO". A name or a number learnt anew forgets what it meant before.
  void learn(std::string_view id, std::string_view full_name, TimePoint now);
  // "/repositories/ID/x" → "/repos/OWNER/REPO/x" when the number is known; nothing otherwise.
  std::optional<std::string> fold(std::string_view path, TimePoint now) const;
  std::size_t size() const { return by_id_.size(); }

 private:
  struct Known {
    std::string full_name;
    TimePoint learnt;
  };
  void make_room(TimePoint now);

  std::unordered_map<std::string, Known> by_id_;
  std::unordered_map<std::string, std::string> id_of_;  // lower-case full name → id
};

// The number and full name in the body of GET /repos/OWNER/REPO; nothing if it has another shape.
struct RepositoryIdentity {
  std::string id;
  std::string full_name;
  bool is_private = true;  // unknown counts as private
};
std::optional<RepositoryIdentity> repository_identity(std::string_view body);

}  // namespace ghmesh::github
