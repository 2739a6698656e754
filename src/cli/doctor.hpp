// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "mesh/admission/secret.hpp"
#include "node/config/config.hpp"
#include "node/config/variables.hpp"

// What keeps a client from its node, found without asking GitHub: each check is a function from what the machine looks
// like to findings, so that tests hand in machines of their own. A client is judged by the rules it follows itself:
// which variable it reads first, what its entries of NO_PROXY match, where it looks for roots. Values; one thread.

namespace ghmesh::cli::doctor {

enum class Verdict : std::uint8_t { Ok, Warning, Wrong };
std::string_view to_string(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::Ok;
  std::string name;    // "curl", "clock"
  std::string detail;  // what was seen, one sentence
  std::string fix;     // the line to type or to change; empty: nothing to do
};

struct FileFacts {
  bool directory = false;
  bool socket = false;
  mode_t mode = 0;  // permission bits and the sticky bit
  uid_t owner = 0;
  bool writable = false;  // by this process
};

struct Machine {
  node::config::Variables variables;
  std::function<std::optional<std::string>(std::string_view program)> find_program;  // its path
  std::function<Result<std::string>(const std::string& path)> read_file;
  std::function<std::optional<FileFacts>(const std::string& path)> file;
  // What a program writes; nothing if it cannot be run, fails, or takes over 10 s.
  std::function<std::optional<std::string>(const std::vector<std::string>& words)> output_of;
  uid_t user = 0;
};

struct NodeFacts {
  bool answers = false;
  std::string url;                    // of the HTTP listener: "http://127.0.0.1:8418"
  std::optional<std::string> socket;  // as its ready file says
  std::optional<std::string> ca_dir;  // where its certificate and bundle lie
  std::string ca;                     // the certificate, PEM; empty: it answers no HTTPS
  std::string host = "api.github.com";
};

// Whether text, which may hold many, holds the certificate.
bool holds_certificate(std::string_view text, std::string_view certificate);

// One finding for each client that is installed: gh, curl, git, node, python3, java.
std::vector<Finding> check_clients(const Machine& machine, const NodeFacts& node);

// Proxy variables: another scheme than the node speaks, spellings that disagree, NO_PROXY that names the API, and
// GITHUB_API_URL, which a runner writes anew before each step.
std::vector<Finding> check_variables(const Machine& machine, const NodeFacts& node);

// origin_date: the Date of an answer that GitHub has just given.
Finding check_clock(std::string_view origin_date, WallTime now);

// By which way the node leaves this network.
std::vector<Finding> check_way_out(const node::config::Config& config);

std::vector<Finding> check_secret(const Machine& machine, const node::config::Config& config);
std::vector<Finding> check_registry(const Machine& machine, const node::config::Config& config);
// peers_json: /api/peers.
std::vector<Finding> check_mesh(std::string_view peers_json, bool in_container);

bool in_container(const Machine& machine);
std::vector<Finding> check_container(const Machine& machine, const NodeFacts& node);

// Runner hooks and systemd units that are there and could not work.
std::vector<Finding> check_hooks(const Machine& machine);

// Workflow files that set GITHUB_API_URL, which has no effect on later steps. name and text of each.
std::vector<Finding> check_workflows(const std::vector<std::pair<std::string, std::string>>& files);

std::string table_of(const std::vector<Finding>& findings);
std::string json_of(const std::vector<Finding>& findings);

}  // namespace ghmesh::cli::doctor
