// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "demo_github.hpp"
#include "io/endpoint.hpp"

// Clients that ask: one round of the demo. Each asks its questions one after the other over a connection of its own,
// and compares every answer with the expected one.

namespace ghmesh::cli {

struct Plan {
  std::vector<io::Endpoint> at;     // whom each client asks
  std::vector<std::string> tokens;  // one per client
  std::vector<std::string> paths;
  std::vector<std::string> expected;  // bodies by path; empty: keep the first client's
  bool staggered = true;              // each client begins at another question
};

struct ClientProgress {
  std::size_t done = 0;
  bool gone = false;  // its runner was killed
};

struct Round {
  std::size_t asked = 0;
  std::size_t failed = 0;
  std::size_t different = 0;  // from what was expected
  std::size_t from_peers = 0;
  Duration time{0};
  Spent spent;
  std::vector<std::string> bodies;  // where nothing was expected
  std::vector<ClientProgress> clients;
  std::string first_error;
};

class Play {
 public:
  // Called after every answer, on the loop's thread; may end clients by marking them gone.
  using OnAnswer = std::function<void(Round&)>;

  Play(DemoGithub& github, Duration limit) : github_(github), limit_(limit) {}
  Round run(const Plan& plan, const OnAnswer& on_answer = {});

 private:
  DemoGithub& github_;
  Duration limit_;
};

}  // namespace ghmesh::cli
