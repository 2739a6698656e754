// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/config/config.hpp"
#include "node/config/options.hpp"
#include "node/config/values.hpp"

namespace ghmesh::node::config {
namespace {

using testing::HasSubstr;
using testing::Not;

// One sample per row: how to read the setting back, two good values (as they read back) and a bad one.
struct Sample {
  std::string flag;
  std::string one, two;
  std::string bad;  // empty: every text is good
  std::function<std::string(const Config&)> read;
  std::string compatible;  // a value of the compatible variable, and
  std::string translated;  // how it reads back
};

std::string text_of(const std::vector<multiformats::Multiaddr>& addresses) {
  std::string out;
  for (const auto& address : addresses) out += (out.empty() ? "" : ",") + address.text();
  return out;
}

std::string on_off(bool value) { return value ? "on" : "off"; }

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {"listen", "127.0.0.1:1", "[::1]:2", "here", [](const Config& c) { return io::to_string(c.listen); }, "", ""},
      {"socket", "/run/a", "/run/b", "", [](const Config& c) { return c.socket.value_or(""); }, "", ""},
      {"admin", "127.0.0.1:3", "off", "on", [](const Config& c) { return c.admin ? io::to_string(*c.admin) : "off"; },
       "", ""},
      {"ready-file", "/run/r", "/run/s", "", [](const Config& c) { return c.ready_file.value_or(""); }, "", ""},
      {"connect-policy", "tunnel", "refuse", "maybe",
       [](const Config& c) {
         switch (c.connect_policy) {
           case ConnectPolicy::Terminate: return "terminate";
           case ConnectPolicy::GitHub: return "github";
           case ConnectPolicy::Tunnel: return "tunnel";
           case ConnectPolicy::Refuse: return "refuse";
         }
         return "";
       },
       "", ""},
      {"ca-out", "/run/ca", "/run/cb", "", [](const Config& c) { return c.ca_out.value_or(""); }, "", ""},
      {"tunnel-to", "registry.example", "*.corp.example,10.0.0.5", "a.example:443",
       [](const Config& c) {
         std::string out;
         for (const std::string& host : c.tunnel_to) out += (out.empty() ? "" : ",") + host;
         return out;
       },
       "", ""},
      {"resolve", "a.example:443:127.0.0.1:1", "b.example:80:127.0.0.1:2,c.example:443:127.0.0.2:3",
       "a.example:443:10.0.0.1:1",
       [](const Config& c) {
         std::string out;
         for (const Resolve& r : c.resolve)
           out += (out.empty() ? "" : ",") + r.host + ":" + std::to_string(r.port) + ":" + io::to_string(r.to);
         return out;
       },
       "", ""},
      {"upstream", "https://ghes.example/api/v3", "http://127.0.0.1:7/", "http://ghes.example",
       [](const Config& c) { return c.upstream.text(); }, "https://ghes.example/api/v3", "https://ghes.example/api/v3"},
      {"upstream-ca", "/a.pem", "/b.pem", "", [](const Config& c) { return c.upstream_ca.value_or(""); }, "", ""},
      {"upstream-proxy", "http://a.example:3128", "http://b.example:3129", "",
       [](const Config& c) { return c.upstream_proxy ? c.upstream_proxy->url() : ""; }, "", ""},
      {"reserve", "10", "90", "91", [](const Config& c) { return std::to_string(c.reserve_percent); }, "", ""},
      {"max-queue", "5", "60", "x", [](const Config& c) { return std::to_string(c.max_queue.count()); }, "", ""},
      {"rewrite-links", "on", "off", "maybe", [](const Config& c) { return on_off(c.rewrite_links); }, "", ""},
      {"cache-dir", "/var/a", "none", "", [](const Config& c) { return c.cache_dir.value_or("none"); }, "/old", "/old"},
      {"memory-max", "1MiB", "2GiB", "much", [](const Config& c) { return format_size(c.memory_max); }, "", ""},
      {"disk-max", "1MiB", "2GiB", "1.5", [](const Config& c) { return format_size(c.disk_max); }, "", ""},
      {"freshness", "strict", "http", "eternal",
       [](const Config& c) { return std::string(github::to_string(c.freshness)); }, "", ""},
      {"stale-if-error", "60", "3600", "x", [](const Config& c) { return std::to_string(c.stale_if_error.count()); },
       "", ""},
      {"ttl", "60", "3600", "-1", [](const Config& c) { return std::to_string(c.ttl.value_or(0s).count()); }, "300",
       "300"},
      {"proof", "off", "on", "maybe", [](const Config& c) { return on_off(c.proof); }, "", ""},
      {"p2p", "off", "on", "maybe", [](const Config& c) { return on_off(c.p2p); }, "false", "off"},
      {"p2p-listen", "/ip4/1.2.3.4/tcp/5", "/ip6/::1/tcp/6,/ip4/9.9.9.9/tcp/9", "/ip4/1.2.3.4.5/tcp/5",
       [](const Config& c) { return text_of(c.p2p_listen); }, "9001", "/ip4/0.0.0.0/tcp/9001"},
      {"announce", "/ip4/1.2.3.4/tcp/5", "/dns4/a.example/tcp/6", "1.2.3.4",
       [](const Config& c) { return text_of(c.announce); }, "", ""},
      {"bootstrap", "/ip4/1.2.3.4/tcp/5", "/dns4/a.example/tcp/6,/ip4/1.1.1.1/tcp/1", "/nonsense",
       [](const Config& c) { return text_of(c.bootstrap); }, "/ip4/8.8.8.8/tcp/8, /ip4/8.8.4.4/tcp/8",
       "/ip4/8.8.8.8/tcp/8,/ip4/8.8.4.4/tcp/8"},
      {"registry", "/reg/a", "/reg/b", "", [](const Config& c) { return c.registry.value_or(""); }, "", ""},
      {"mdns", "on", "off", "maybe", [](const Config& c) { return on_off(c.mdns); }, "", ""},
      {"share", "public", "mesh", "all", [](const Config& c) { return c.share == Share::Public ? "public" : "mesh"; },
       "", ""},
      {"mesh-patience", "200", "1000", "1m", [](const Config& c) { return std::to_string(c.mesh_patience.count()); },
       "", ""},
      {"secret-file", "/secret/a", "/secret/b", "", [](const Config& c) { return c.secret.from; }, "", ""},
      {"identity", "/id/a", "/id/b", "", [](const Config& c) { return c.identity.value_or(""); }, "", ""},
      {"log-level", "debug", "off", "loud", [](const Config& c) { return std::string(log::to_string(c.log_level)); },
       "", ""},
      {"log-sample", "100", "7", "0", [](const Config& c) { return std::to_string(c.log_sample); }, "", ""},
      {"log-format", "json", "text", "xml",
       [](const Config& c) { return c.log_format == log::Format::Json ? "json" : "text"; }, "", ""},
  };
  return all;
}

using Map = std::map<std::string, std::string, std::less<>>;

Inputs inputs(Flags flags, Map variables = {}, Map files = {}) {
  variables.emplace("HOME", "/home/runner");
  return {std::move(flags), Variables(std::move(variables)), [files](const std::string& path) -> Result<std::string> {
            if (const auto found = files.find(path); found != files.end()) return found->second;
            if (path.starts_with("/secret/")) return "aa bb\n";
            return fail(ErrorCode::NotFound, "reading " + path + ": No such file or directory");
          }};
}

Config loaded(const Inputs& in) {
  Result<Loaded> out = load(in);
  if (!out) {
    ADD_FAILURE() << out.error().message;
    return {};
  }
  return std::move(out->config);
}

std::string error(const Inputs& in) {
  Result<Loaded> out = load(in);
  if (out) {
    ADD_FAILURE() << "loaded";
    return "";
  }
  return out.error().message;
}

std::string toml_line(const Option& option, const std::string& value) {
  const std::size_t dot = option.toml.find('.');
  std::string out;
  if (dot != std::string_view::npos) out += "[" + std::string(option.toml.substr(0, dot)) + "]\n";
  return out + std::string(option.toml.substr(dot == std::string_view::npos ? 0 : dot + 1)) + " = \"" + value + "\"\n";
}

TEST(Load, EveryRowHasASample) {
  std::vector<std::string> rows, sampled;
  for (const Option& option : options()) rows.emplace_back(option.flag);
  for (const Sample& sample : samples()) sampled.push_back(sample.flag);
  EXPECT_EQ(rows.size(), sampled.size());
  EXPECT_THAT(sampled, testing::UnorderedElementsAreArray(rows));
}

TEST(Load, ConnectIsAnsweredWhereClientsCanBeToldWhatToTrust) {
  EXPECT_EQ(loaded(inputs({})).connect_policy, ConnectPolicy::GitHub);
  EXPECT_EQ(loaded(inputs({{"ca-out", "/run/ca"}})).connect_policy, ConnectPolicy::Terminate);
  EXPECT_EQ(loaded(inputs({{"ca-out", "/run/ca"}, {"connect-policy", "github"}})).connect_policy,
            ConnectPolicy::GitHub);
}

TEST(Load, RootsOfTheUserAreKnownButNotAnEarlierNodes) {
  const Map variables{{"SSL_CERT_FILE", "/corp.pem"},
                      {"CURL_CA_BUNDLE", "/corp.pem"},
                      {"GIT_SSL_CAINFO", "/run/ca/ca-bundle.pem"},
                      {"NODE_EXTRA_CA_CERTS", "/extra.pem"}};
  EXPECT_THAT(loaded(inputs({{"ca-out", "/run/ca"}}, variables)).user_roots,
              testing::ElementsAre("/corp.pem", "/extra.pem"));
}

TEST(Load, EveryRowReadsFromEverySource) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.flag);
    const Option& option = *find_option(sample.flag);
    if (sample.flag.starts_with("secret")) continue;  // has tests of its own
    for (const std::string& value : {sample.one, sample.two}) {
      EXPECT_EQ(sample.read(loaded(inputs({{sample.flag, value}}))), value);
      EXPECT_EQ(sample.read(loaded(inputs({}, {{variable_of(option), value}}))), value);
      if (!option.many) {
        EXPECT_EQ(sample.read(loaded(inputs({{"config", "n.toml"}}, {}, {{"n.toml", toml_line(option, value)}}))),
                  value);
      }
    }
    if (!sample.compatible.empty()) {
      EXPECT_EQ(sample.read(loaded(inputs({}, {{std::string(option.compatible.variable), sample.compatible}}))),
                sample.translated);
    } else {
      EXPECT_TRUE(option.compatible.variable.empty());
    }
  }
}

TEST(Load, EveryRowFollowsThePrecedence) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.flag);
    const Option& option = *find_option(sample.flag);
    const std::string variable = variable_of(option);
    const Map file{{"n.toml", toml_line(option, sample.two)}};
    const Inputs all = inputs({{"config", "n.toml"}, {sample.flag, sample.one}}, {{variable, sample.two}}, file);
    EXPECT_EQ(sample.read(loaded(all)), sample.one) << "flag over variable";
    if (!sample.compatible.empty()) {
      const std::string other(option.compatible.variable);
      EXPECT_EQ(sample.read(loaded(inputs({}, {{variable, sample.one}, {other, sample.compatible}}))), sample.one)
          << "variable over compatible variable";
      EXPECT_EQ(sample.read(loaded(inputs({{"config", "n.toml"}}, {{other, sample.compatible}}, file))),
                sample.translated)
          << "compatible variable over file";
    } else {
      EXPECT_EQ(sample.read(loaded(inputs({{"config", "n.toml"}}, {{variable, sample.one}}, file))), sample.one)
          << "variable over file";
    }
  }
}

TEST(Load, ABadValueIsNamedWithItsSource) {
  for (const Sample& sample : samples()) {
    if (sample.bad.empty()) continue;
    SCOPED_TRACE(sample.flag);
    const Option& option = *find_option(sample.flag);
    EXPECT_THAT(error(inputs({{sample.flag, sample.bad}})),
                testing::AllOf(HasSubstr("--" + sample.flag + ": "), HasSubstr(sample.bad)));
    EXPECT_THAT(error(inputs({}, {{variable_of(option), sample.bad}})), HasSubstr(variable_of(option) + ": "));
    EXPECT_THAT(error(inputs({{"config", "n.toml"}}, {}, {{"n.toml", toml_line(option, sample.bad)}})),
                HasSubstr("n.toml: " + std::string(option.toml) + ": "));
    if (!option.compatible.variable.empty() && sample.flag != "upstream") {
      EXPECT_THAT(error(inputs({}, {{std::string(option.compatible.variable), sample.bad}})),
                  HasSubstr(std::string(option.compatible.variable) + ": "));
    }
  }
}

TEST(Load, DefaultsAreTheContracts) {
  const Config c = loaded(inputs({}));
  EXPECT_EQ(io::to_string(c.listen), "127.0.0.1:8418");
  EXPECT_EQ(io::to_string(c.admin.value()), "127.0.0.1:8417");
  EXPECT_FALSE(c.socket || c.ready_file || c.upstream_ca || c.ttl);
  EXPECT_EQ(c.upstream.text(), "https://api.github.com/");
  EXPECT_EQ(c.cache_dir, "/home/runner/.cache/ghmesh");
  EXPECT_EQ(c.registry, "/home/runner/.cache/ghmesh/peers");
  EXPECT_EQ(c.identity, "/home/runner/.cache/ghmesh/identity.key");
  EXPECT_EQ(c.memory_max, 64u << 20);
  EXPECT_EQ(c.disk_max, 1u << 30);
  EXPECT_EQ(c.freshness, github::FreshnessPolicy::GitHub);
  EXPECT_EQ(c.stale_if_error, 0s);
  EXPECT_TRUE(c.proof && c.p2p && c.mdns);
  EXPECT_EQ(text_of(c.p2p_listen), "/ip4/0.0.0.0/tcp/9100");
  EXPECT_FALSE(c.wants_mesh());
}

TEST(Load, DefaultsFollowTheMachine) {
  EXPECT_EQ(loaded(inputs({}, {{"XDG_CACHE_HOME", "/x"}})).cache_dir, "/x/ghmesh");
  EXPECT_EQ(loaded(inputs({}, {{"XDG_CACHE_HOME", "relative"}})).cache_dir, "/home/runner/.cache/ghmesh");
  EXPECT_FALSE(loaded(inputs({}, {{"CI", "true"}})).mdns);
  EXPECT_TRUE(loaded(inputs({{"mdns", "on"}}, {{"CI", "true"}})).mdns);
  const Config memory = loaded(inputs({{"cache-dir", "none"}}));
  EXPECT_FALSE(memory.cache_dir || memory.registry || memory.identity);
  Inputs homeless = inputs({});
  homeless.variables = Variables();
  EXPECT_THAT(error(homeless), HasSubstr("--cache-dir"));
}

TEST(Load, UnknownNamesAreErrors) {
  EXPECT_THAT(error(inputs({{"lisen", "127.0.0.1:1"}})), HasSubstr("--lisen"));
  EXPECT_THAT(error(inputs({}, {{"GHMESH_LISEN", "x"}})), HasSubstr("GHMESH_LISEN"));
  EXPECT_THAT(error(inputs({{"config", "n.toml"}}, {}, {{"n.toml", "lisen = \"x\"\n"}})), HasSubstr("n.toml: lisen"));
  EXPECT_THAT(error(inputs({{"config", "n.toml"}}, {}, {{"n.toml", "[p2p]\nlisen = 1\n"}})), HasSubstr("p2p.lisen"));
  // Variables of children and of commands are none of the node's business.
  loaded(inputs({}, {{"GHMESH_URL", "http://127.0.0.1:1"}, {"GHMESH_NODE", "/x"}}));
}

TEST(Load, FilesThatCannotBeReadAreNamed) {
  EXPECT_THAT(error(inputs({{"config", "absent.toml"}})), HasSubstr("--config: reading absent.toml"));
  EXPECT_THAT(error(inputs({}, {{"GHMESH_CONFIG", "absent.toml"}})), HasSubstr("GHMESH_CONFIG: reading absent.toml"));
  EXPECT_THAT(error(inputs({{"config", "n.toml"}}, {}, {{"n.toml", "a = \n"}})), HasSubstr("n.toml: line 1"));
  EXPECT_THAT(error(inputs({{"config", "n.toml"}}, {}, {{"n.toml", "listen = 1.5\n"}})), HasSubstr("listen (line 1)"));
  EXPECT_THAT(error(inputs({{"config", "n.toml"}}, {}, {{"n.toml", "[p2p.listen]\nx = 1\n"}})),
              HasSubstr("p2p.listen"));
  EXPECT_THAT(error(inputs({{"secret-file", "/nowhere"}})), HasSubstr("--secret-file: reading /nowhere"));
}

TEST(Load, TomlHasItsOwnTypes) {
  const Config c = loaded(inputs({{"config", "n.toml"}}, {}, {{"n.toml", R"(
listen = "127.0.0.1:5"
[cache]
memory_max = 1048576
proof = false
ttl = 30
[p2p]
listen = ["/ip4/1.1.1.1/tcp/1", "/ip4/2.2.2.2/tcp/2"]
bootstrap = []
)"}}));
  EXPECT_EQ(c.memory_max, 1u << 20);
  EXPECT_FALSE(c.proof);
  EXPECT_EQ(c.ttl, 30s);
  EXPECT_EQ(text_of(c.p2p_listen), "/ip4/1.1.1.1/tcp/1,/ip4/2.2.2.2/tcp/2");
  EXPECT_THAT(error(inputs({{"config", "n.toml"}}, {}, {{"n.toml", "listen = [\"127.0.0.1:5\", \"127.0.0.1:6\"]"}})),
              HasSubstr("one value"));
}

TEST(Load, RepeatedFlagsAddOrReplace) {
  EXPECT_EQ(
      text_of(loaded(inputs({{"p2p-listen", "/ip4/1.1.1.1/tcp/1"}, {"p2p-listen", "/ip4/2.2.2.2/tcp/2"}})).p2p_listen),
      "/ip4/1.1.1.1/tcp/1,/ip4/2.2.2.2/tcp/2");
  EXPECT_EQ(io::to_string(loaded(inputs({{"listen", "127.0.0.1:1"}, {"listen", "127.0.0.1:2"}})).listen),
            "127.0.0.1:2");
}

TEST(Load, EmptyVariablesCountAsUnset) {
  EXPECT_EQ(io::to_string(loaded(inputs({}, {{"GHMESH_LISTEN", ""}, {"GHMESH_LISEN", ""}})).listen), "127.0.0.1:8418");
  EXPECT_EQ(text_of(loaded(inputs({}, {{"CACHE_LISTEN_PORT", ""}})).p2p_listen), "/ip4/0.0.0.0/tcp/9100");
}

TEST(Load, GithubApiUrlIsTheUpstreamUnlessItIsOurs) {
  const auto upstream = [](Map variables, Flags flags = {}) {
    return loaded(inputs(std::move(flags), std::move(variables))).upstream.text();
  };
  EXPECT_EQ(upstream({{"GITHUB_API_URL", "https://ghes.example/api/v3"}}), "https://ghes.example/api/v3");
  EXPECT_EQ(upstream({{"GITHUB_API_URL", "http://127.0.0.1:8418"}}), "https://api.github.com/");
  EXPECT_EQ(upstream({{"GITHUB_API_URL", "http://localhost:8418/"}}), "https://api.github.com/");
  EXPECT_EQ(upstream({{"GITHUB_API_URL", "http://127.0.0.1:5000"}, {"GHMESH_URL", "http://127.0.0.1:5000"}}),
            "https://api.github.com/");
  EXPECT_EQ(upstream({{"GITHUB_API_URL", "http://127.0.0.1:9999"}}, {{"listen", "127.0.0.1:9999"}}),
            "https://api.github.com/");
  EXPECT_EQ(upstream({{"GITHUB_API_URL", "http://127.0.0.1:5000"}}), "http://127.0.0.1:5000/");
}

TEST(Load, TheJobIsThatOfTheEnvironment) {
  const auto job = [](Map variables) {
    const Config c = loaded(inputs({}, std::move(variables)));
    return c.job.repository + "=" + c.job.token.expose();
  };
  EXPECT_EQ(job({}), "=");
  EXPECT_EQ(job({{"GITHUB_TOKEN", "ghs_1"}}), "=");
  EXPECT_EQ(job({{"GITHUB_REPOSITORY", "o/r"}}), "o/r=");
  EXPECT_EQ(job({{"GITHUB_REPOSITORY", "o/r"}, {"GITHUB_TOKEN", " ghs_1\n"}, {"GH_TOKEN", "ghs_2"}}), "o/r=ghs_1");
  EXPECT_EQ(job({{"GITHUB_REPOSITORY", "o/r"}, {"GITHUB_TOKEN", "ghp_1"}, {"GH_TOKEN", "ghs_2"}}), "o/r=ghs_2");
  EXPECT_EQ(job({{"GITHUB_REPOSITORY", "o/r"}, {"GH_TOKEN", "github_pat_1"}}), "o/r=");
  EXPECT_EQ(job({{"GITHUB_REPOSITORY", "o"}, {"GH_TOKEN", "ghs_2"}}), "=");
}

TEST(Load, TheSecretHasAnOrderOfItsOwn) {
  const auto secret = [](Flags flags, Map variables, Map files = {}) {
    const Config c = loaded(inputs(std::move(flags), std::move(variables), std::move(files)));
    return c.secret.from + "=" + c.secret.text.expose();
  };
  const Map tokens{{"GH_TOKEN", "gho_1"}, {"GITHUB_TOKEN", "ghs_2"}};
  Map all = tokens;
  all.emplace("CACHE_P2P_SHARED_SECRET", "old");
  EXPECT_EQ(secret({}, tokens), "GH_TOKEN=gho_1");
  EXPECT_EQ(secret({}, {{"GITHUB_TOKEN", "ghs_2"}}), "GITHUB_TOKEN=ghs_2");
  EXPECT_EQ(secret({}, all), "CACHE_P2P_SHARED_SECRET=old");
  all.emplace("GHMESH_SECRET", " new\n");
  EXPECT_EQ(secret({}, all), "GHMESH_SECRET=new");
  EXPECT_EQ(secret({{"secret-file", "/secret/a"}}, all), "/secret/a=aa bb");
  all.emplace("GHMESH_SECRET_FILE", "/secret/b");
  EXPECT_EQ(secret({}, all), "/secret/b=aa bb");
  const Map file{{"n.toml", "[p2p]\nsecret_file = \"/secret/c\"\n"}};
  EXPECT_EQ(secret({{"config", "n.toml"}}, tokens, file), "/secret/c=aa bb");
  EXPECT_EQ(secret({{"config", "n.toml"}}, {{"GHMESH_SECRET", "new"}}, file), "GHMESH_SECRET=new");
  EXPECT_THAT(error(inputs({{"secret-file", "/empty"}}, {}, {{"/empty", " \n"}})), HasSubstr("/empty is empty"));
  EXPECT_TRUE(loaded(inputs({}, tokens)).wants_mesh());
  EXPECT_FALSE(loaded(inputs({{"p2p", "off"}}, tokens)).wants_mesh());
}

TEST(Load, WhatIsShownNeverHoldsASecret) {
  const Result<Loaded> out =
      load(inputs({{"listen", "127.0.0.1:1"}}, {{"GHMESH_SECRET", "hush-hush"}, {"GH_TOKEN", "gho_hush"}}));
  ASSERT_TRUE(out);
  ASSERT_EQ(out->origins.size(), options().size());
  bool secret_named = false;
  for (const Origin& origin : out->origins) {
    EXPECT_THAT(origin.value + origin.source, Not(HasSubstr("hush")));
    if (origin.flag == "listen") EXPECT_EQ(origin.source, "--listen");
    if (origin.flag == "cache-dir") EXPECT_EQ(origin.value, "/home/runner/.cache/ghmesh");
    if (origin.flag == "disk-max") EXPECT_EQ(origin.source, "default");
    if (origin.flag == "secret-file") secret_named = origin.source == "GHMESH_SECRET";
  }
  EXPECT_TRUE(secret_named);
  EXPECT_THAT(error(inputs({{"secret-file", "/secret/a"}, {"listen", "x"}}, {{"GHMESH_SECRET", "hush-hush"}})),
              Not(HasSubstr("hush")));
}

TEST(Load, TheProxyOfTheEnvironmentIsTheWayOut) {
  const auto of = [](std::map<std::string, std::string, std::less<>> variables, Flags flags = {}) {
    variables.emplace("HOME", "/h");
    Result<Loaded> loaded = load({std::move(flags), Variables(std::move(variables)), {}});
    EXPECT_TRUE(loaded) << loaded.error().message;
    return std::move(*loaded);
  };
  const Loaded corp =
      of({{"HTTPS_PROXY", "http://u:s%65cret@proxy.example:3128"}, {"no_proxy", ".example"}, {"NO_PROXY", "a"}});
  ASSERT_TRUE(corp.config.upstream_proxy);
  EXPECT_EQ(corp.config.upstream_proxy->url(), "http://proxy.example:3128");
  EXPECT_EQ(corp.config.upstream_proxy->credentials.expose(), "u:secret");
  EXPECT_EQ(corp.config.direct_hosts, ".example");
  for (const Origin& origin : corp.origins) {
    EXPECT_EQ(origin.value.find("s%65cret"), std::string::npos);
    if (origin.flag == "upstream-proxy") EXPECT_EQ(origin.source, "HTTPS_PROXY");
  }
  EXPECT_EQ(of({{"https_proxy", "a.example:1"}, {"HTTPS_PROXY", "b.example:2"}}).config.upstream_proxy->url(),
            "http://a.example:1");
  EXPECT_EQ(
      of({{"https_proxy", "a.example:1"}}, {{"upstream-proxy", "http://b.example:2"}}).config.upstream_proxy->url(),
      "http://b.example:2");
  EXPECT_FALSE(of({{"https_proxy", "a.example:1"}}, {{"upstream-proxy", "none"}}).config.upstream_proxy);
  // This node, an earlier one of this job, and what cannot be asked.
  EXPECT_FALSE(of({{"https_proxy", "http://localhost:8418"}}).config.upstream_proxy);
  EXPECT_FALSE(of({{"https_proxy", "http://127.0.0.1:9"}, {"GHMESH_URL", "http://127.0.0.1:9"}}).config.upstream_proxy);
  const Result<Loaded> own = load({{{"upstream-proxy", "http://127.0.0.1:8418"}}, Variables({{"HOME", "/h"}}), {}});
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().message, "upstream-proxy: http://127.0.0.1:8418 is this node's own --listen");
  const Loaded socks = of({{"https_proxy", "socks5://secret@a.example:1080"}});
  EXPECT_FALSE(socks.config.upstream_proxy);
  EXPECT_TRUE(socks.config.proxy_problem.starts_with("https_proxy takes http://"));
  EXPECT_EQ(socks.config.proxy_problem.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace ghmesh::node::config
