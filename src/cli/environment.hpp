// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/config/config.hpp"
#include "node/config/variables.hpp"

// The variables that lead a job's tools to a node: what `run` gives its command, and `init` the steps that follow. One
// place, so that both mean the same. Values only; nothing is set and no file is made here.

namespace ghmesh::cli {

struct Pointing {
  std::string url;                    // of the node's HTTP listener: http://127.0.0.1:8418
  std::optional<std::string> ca_out;  // where the node writes ghmesh-ca.pem and ca-bundle.pem; nothing: it does not
  std::optional<std::string> gh_config_dir;  // a copy of gh's configuration that names the node's socket
  bool by_proxy = false;                     // the node goes out through another proxy,
  std::string chained;                       // which it found in this variable; empty: it was told otherwise
  std::string proxy_problem;                 // why the proxy that a variable names cannot be used by the node

  void tell_of_proxy(const node::config::Config& config);
};

struct PointedEnvironment {
  // What to set; variables that keep their value are not among them.
  std::map<std::string, std::string, std::less<>> set;
  // What the user should know, a sentence each.
  std::vector<std::string> notes;
};

// present is what the tools would get otherwise. A proxy that is set already may be the only way out of this network:
// the node goes out through it (GHMESH_UPSTREAM_PROXY tells later nodes of the job), and where it cannot, the variable
// stays as it is. NO_PROXY keeps its entries. Files of roots that were
// named before are part of the node's bundle (Config::user_roots).
PointedEnvironment point_at(const Pointing& node, const node::config::Variables& present);

// Whether a node with these settings, which its command gives a --ca-out, is to be every tool's HTTPS proxy. Not where
// the operator chose a policy by which tools would lose hosts or gain nothing.
bool is_https_proxy(const node::config::Loaded& loaded);

}  // namespace ghmesh::cli
