// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/endpoint.hpp"

// The stand-in for GitHub on a thread of its own, so that a command can wait for clients meanwhile.

namespace ghmesh::cli {

struct Spent {
  std::uint64_t requests = 0;
  std::uint64_t charged = 0;
  std::uint64_t free_304s = 0;
  std::uint64_t refused = 0;  // for want of quota
};

class DemoGithub {
 public:
  // latency: before every answer, as a far away API has it. Each of the tokens may see everything.
  static Result<std::unique_ptr<DemoGithub>> start(Duration latency, const std::vector<std::string>& tokens);
  ~DemoGithub();

  const io::Endpoint& endpoint() const;
  // All paths whose answers may be kept and shared, recorded and made-up ones in turn.
  std::vector<std::string> paths() const;
  // Resources of one repository whose jobs' tokens are known here by their prefix "ghs_" and share its budget of 1,000.
  std::vector<std::string> job_paths(std::size_t count) const;
  // What was asked since the last take_spent().
  Spent spent();
  // The same, and from here on anew. The next one finds every budget full again.
  Spent take_spent();
  void set_latency(Duration latency);

 private:
  struct State;
  explicit DemoGithub(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ghmesh::cli
