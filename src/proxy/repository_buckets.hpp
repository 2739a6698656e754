// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/loop.hpp"
#include "proxy/live_fields.hpp"
#include "proxy/sharing.hpp"

// GitHub counts the primary limits of a repository's job tokens (GITHUB_TOKEN, each of one job) together. Here those of
// one repository share what each of them reads of the limits and a pause when nothing is left, on this node and with
// the members of the mesh (doc/formats/mesh.md, Pace). Secondary limits and the pace are a token's own and no matter of
// this file.
//
// Which repository a token belongs to, nothing in an answer says. The token of the job that started this node is known
// by that job's environment; of others that look like it (ghs_…) the repository that they ask for most is a guess. Both
// can be wrong, for an App's installation token looks the same and has quota of its own, so:
// - readings of others are hints that stop a token for half a minute before it looks for itself (QuotaLedger), and
//   with a guess on either side only if they fit its own: the limit, the second in which the window ends, and what was
//   used;
// - a pause is that of a window: repository, resource, limit and the seconds of its end, as a token was told them
//   itself. A token of another bucket has another window, but for one in several hundred, and pauses with its own only.
//   Who knows its token by guess, or was told nothing itself yet, follows for five minutes at most; then it looks.
//
// Names of repositories stay in this process. Loop thread; borrows what it is given.

namespace ghmesh::proxy {

// The job that started this node, if one did.
struct JobOfNode {
  std::string repository;                  // OWNER/REPO; "": none
  std::optional<github::Partition> token;  // its own
};

class RepositoryBuckets {
 public:
  // sharing: null without a mesh. authority: of the origin.
  RepositoryBuckets(io::Loop& loop, LiveFields& live, Sharing* sharing, std::string authority, const JobOfNode& job);

  // A request is about to ask GitHub. Cheap for whatever carries no job token.
  void asks(const Plan& plan);
  // Until when its bucket is paused, by other tokens or by itself.
  std::optional<TimePoint> paused_until(const Plan& plan, std::string_view resource);
  // GitHub answered with a reading; pause: how long it leaves nothing, 0 if something is left.
  void answered(const Plan& plan, std::string_view resource, Duration pause);
  // From the keeper of a bucket. Others than those of repositories are not looked at.
  void on_drawn(const mesh::Drawn& drawn);

  std::size_t tokens() const { return members_.size(); }

 private:
  struct Window {
    std::int64_t limit = 0;
    github::UnixSeconds reset = 0;
    bool own = false;   // told by GitHub, and not by members only
    bool sure = false;  // and its token's bucket is known, or it said itself that nothing is left
  };
  struct Member {
    std::string repository;  // "": none yet
    bool known = false;
    std::vector<std::pair<std::string, std::uint32_t>> asked;  // repositories, and how often
    TimePoint seen{};
    std::map<std::string, Window, std::less<>> windows;  // by resource
    std::optional<TimePoint> follows_since;
  };
  struct Bucket {
    std::set<github::Partition> tokens;
    mesh::TokenTag tag{};
    bool dirty = false;
  };
  // Repository, resource, limit, and the end of the window in steps of kStep.
  using WindowKey = std::tuple<std::string, std::string, std::int64_t, std::int64_t>;
  struct Pause {
    TimePoint until{};
    std::vector<github::Partition> places;  // in which they come back
  };

  void join(const github::Partition& token, Member& member, const std::string& repository);
  void leave(const github::Partition& token, Member& member);
  void guess(const Plan& plan, Member& member);
  std::optional<Window> window(const Plan& plan, Member& member, std::string_view resource);
  // Windows of one bucket may end some seconds apart; both steps that such an end may fall into.
  std::vector<WindowKey> keys(const Member& member, std::string_view resource, const Window& window) const;
  mesh::TokenTag pause_tag(const WindowKey& key) const;
  void release(const Member& member, std::string_view resource, const Window& window);
  bool listens(const Member& member) const;
  void mark(const std::string& repository, bool urgent);
  void flush();
  void tell(const std::string& repository, Bucket& bucket);
  void refresh();

  io::Loop& loop_;
  LiveFields& live_;
  Sharing* sharing_;
  std::string authority_;
  std::string home_;
  std::unordered_map<github::Partition, Member, store::KeyHash> members_;
  std::map<std::string, Bucket> buckets_;  // by repository, in lower case
  std::map<WindowKey, Pause> pauses_;
  TimePoint flushed_{};
  io::Timer flush_timer_;
  io::Timer refresh_timer_;
};

}  // namespace ghmesh::proxy
