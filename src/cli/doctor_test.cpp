// SPDX-License-Identifier: Apache-2.0
#include "doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/message/date.hpp"

namespace ghmesh::cli::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kUrl = "http://127.0.0.1:8418";
const std::string kCa = "-----BEGIN CERTIFICATE-----\nT1VSUw==\n-----END CERTIFICATE-----\n";

std::string system_roots() {
  std::string out;
  for (int i = 0; i < 20; ++i)
    out += "-----BEGIN CERTIFICATE-----\nUk9PVA" + std::to_string(i) + "\n-----END CERTIFICATE-----\n";
  return out;
}

// A machine as a test describes it, and a node that answers on it.
struct World {
  std::map<std::string, std::string, std::less<>> variables{{"HOME", "/users/u"}};
  std::map<std::string, std::string> files;
  std::map<std::string, FileFacts> facts;
  std::map<std::string, std::string> outputs;  // by the words, joined
  std::vector<std::string> programs;
  NodeFacts node{.answers = true, .url = std::string(kUrl), .socket = "/run/gh.sock", .ca_dir = "/run/ca", .ca = kCa};

  World() {
    files["/run/ca/ghmesh-ca.pem"] = kCa;
    files["/run/ca/ca-bundle.pem"] = system_roots() + kCa;
    facts["/run/gh.sock"] = {.socket = true, .mode = 0600};
  }

  Machine machine() const {
    return {.variables = node::config::Variables(variables),
            .find_program = [this](std::string_view name) -> std::optional<std::string> {
              if (std::ranges::find(programs, name) == programs.end()) return std::nullopt;
              return "/usr/bin/" + std::string(name);
            },
            .read_file = [this](const std::string& path) -> Result<std::string> {
              const auto found = files.find(path);
              if (found == files.end()) return fail(ErrorCode::NotFound, path);
              return found->second;
            },
            .file = [this](const std::string& path) -> std::optional<FileFacts> {
              const auto found = facts.find(path);
              return found == facts.end() ? std::nullopt : std::optional(found->second);
            },
            .output_of = [this](const std::vector<std::string>& words) -> std::optional<std::string> {
              std::string key;
              for (const std::string& word : words) key += (key.empty() ? "" : " ") + word;
              const auto found = outputs.find(key);
              return found == outputs.end() ? std::nullopt : std::optional(found->second);
            }};
  }

  void point() {
    for (const char* name : {"HTTPS_PROXY", "https_proxy"}) variables[name] = kUrl;
    for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"})
      variables[name] = "/run/ca/ca-bundle.pem";
    variables["NODE_EXTRA_CA_CERTS"] = "/run/ca/ghmesh-ca.pem";
    variables["NODE_USE_ENV_PROXY"] = "1";
    outputs["node --version"] = "v24.11.0\n";
  }

  Finding of(const std::string& client) {
    programs = {client};
    const auto found = check_clients(machine(), node);
    return found.size() == 1 ? found[0] : Finding{Verdict::Wrong, "none", "", ""};
  }
};

TEST(DoctorClients, OnlyThoseInstalledAreJudged) {
  World world;
  EXPECT_THAT(check_clients(world.machine(), world.node), IsEmpty());
}

TEST(DoctorClients, AllGoThroughOnceAllIsSet) {
  World world;
  world.point();
  for (const char* client : {"gh", "curl", "git", "node", "python3"}) {
    const Finding finding = world.of(client);
    EXPECT_EQ(finding.verdict, Verdict::Ok) << client << ": " << finding.detail;
    EXPECT_EQ(finding.fix, "");
  }
}

TEST(DoctorClients, NothingSetIsDirectAndTheFixIsALine) {
  World world;
  EXPECT_EQ(world.of("gh").fix, "gh config set http_unix_socket '/run/gh.sock'");
  EXPECT_EQ(world.of("curl").verdict, Verdict::Wrong);
  EXPECT_EQ(world.of("curl").fix, "export HTTPS_PROXY=http://127.0.0.1:8418 https_proxy=http://127.0.0.1:8418");
  EXPECT_EQ(world.of("git").verdict, Verdict::Ok);  // nothing of git's is cached
  EXPECT_EQ(world.of("java").verdict, Verdict::Warning);
}

TEST(DoctorClients, GhBySocket) {
  World world;
  world.files["/users/u/.config/gh/config.yml"] = "git_protocol: https\nhttp_unix_socket: '/run/gh.sock'\n";
  EXPECT_EQ(world.of("gh").verdict, Verdict::Ok);
  world.facts.clear();
  EXPECT_THAT(world.of("gh").detail, HasSubstr("names no socket"));
  world.facts["/run/gh.sock"] = {.socket = true};
  world.node.socket = "/run/other.sock";
  EXPECT_THAT(world.of("gh").fix, HasSubstr("/run/other.sock"));
  world.node.socket.reset();
  world.node.answers = false;
  EXPECT_THAT(world.of("gh").detail, HasSubstr("nobody answers"));
  world.variables["GH_HOST"] = "ghe.example";
  EXPECT_EQ(world.of("gh").verdict, Verdict::Warning);
}

// Who reads which spelling first is where clients part.
TEST(DoctorClients, TheFirstVariableThatAClientReadsCounts) {
  World world;
  world.point();
  world.variables["HTTPS_PROXY"] = "http://proxy.corp:3128";
  EXPECT_EQ(world.of("gh").verdict, Verdict::Wrong);
  for (const char* client : {"curl", "node", "python3"}) EXPECT_EQ(world.of(client).verdict, Verdict::Ok) << client;
  world.variables["HTTPS_PROXY"] = kUrl;
  world.variables["https_proxy"] = "http://proxy.corp:3128";
  EXPECT_EQ(world.of("gh").verdict, Verdict::Ok);
  for (const char* client : {"curl", "node", "python3"}) EXPECT_EQ(world.of(client).verdict, Verdict::Wrong) << client;
}

TEST(DoctorClients, NoProxyIsReadAsTheClientReadsIt) {
  World world;
  world.point();
  world.variables["NO_PROXY"] = world.variables["no_proxy"] = "localhost,github.com";
  for (const char* client : {"gh", "curl", "python3"}) EXPECT_EQ(world.of(client).verdict, Verdict::Wrong) << client;
  EXPECT_EQ(world.of("node").verdict, Verdict::Ok);  // a bare name is that name only
  world.variables["NO_PROXY"] = world.variables["no_proxy"] = ".github.com";
  EXPECT_EQ(world.of("node").verdict, Verdict::Wrong);
}

TEST(DoctorClients, RootsMustBeThereHoldOursAndTheSystems) {
  World world;
  world.point();
  for (const auto& [client, variable] : {std::pair{"gh", "SSL_CERT_FILE"}, std::pair{"curl", "CURL_CA_BUNDLE"},
                                         std::pair{"python3", "REQUESTS_CA_BUNDLE"}}) {
    world.variables[variable] = "/none";
    EXPECT_THAT(world.of(client).detail, HasSubstr("cannot read")) << client;
    world.variables[variable] = "/system";
    world.files["/system"] = system_roots();
    EXPECT_THAT(world.of(client).detail, HasSubstr("its CA is not in")) << client;
    world.variables[variable] = "/run/ca/ghmesh-ca.pem";
    EXPECT_THAT(world.of(client).detail, HasSubstr("hardly anybody else")) << client;
    EXPECT_THAT(world.of(client).fix, HasSubstr("=/run/ca/ca-bundle.pem")) << client;
    world.variables[variable] = "/run/ca/ca-bundle.pem";
  }
  world.variables["GIT_SSL_CAINFO"] = "/run/ca/ghmesh-ca.pem";
  EXPECT_THAT(world.of("git").detail, HasSubstr("fails with github.com"));
}

TEST(DoctorClients, GitOfAnEnterpriseServerMustTrustTheNode) {
  World world;
  world.point();
  world.node.host = "ghes.test";
  EXPECT_THAT(world.of("git").detail, HasSubstr("passed on to ghes.test"));
  world.variables.erase("GIT_SSL_CAINFO");
  EXPECT_EQ(world.of("git").verdict, Verdict::Wrong);
  EXPECT_EQ(world.of("git").fix, "export GIT_SSL_CAINFO=/run/ca/ca-bundle.pem");
  world.node.host = "api.octo.ghe.com";
  EXPECT_EQ(world.of("git").verdict, Verdict::Ok);
}

TEST(DoctorClients, Curlrc) {
  World world;
  world.point();
  world.files["/users/u/.curlrc"] = "# mine\nproxy = \"http://proxy.corp:3128\"\n";
  EXPECT_THAT(world.of("curl").detail, HasSubstr(".curlrc"));
  world.files["/users/u/.curlrc"] = "noproxy = api.github.com\n";
  EXPECT_EQ(world.of("curl").verdict, Verdict::Wrong);
  world.files["/users/u/.curlrc"] = "--cacert /system\n";
  world.files["/system"] = system_roots();
  EXPECT_EQ(world.of("curl").fix, "take cacert out of .curlrc");
}

TEST(DoctorClients, NodesVersionAndItsSwitch) {
  World world;
  world.point();
  for (const char* old : {"v18.20.0", "v20.20.2", "v22.20.0", "v24.4.1"}) {
    world.outputs["node --version"] = old;
    EXPECT_EQ(world.of("node").verdict, Verdict::Warning) << old;
  }
  for (const char* fresh : {"v22.21.0", "v24.5.0", "v26.0.0"}) {
    world.outputs["node --version"] = fresh;
    EXPECT_EQ(world.of("node").verdict, Verdict::Ok) << fresh;
  }
  world.variables.erase("NODE_USE_ENV_PROXY");
  EXPECT_EQ(world.of("node").fix, "export NODE_USE_ENV_PROXY=1");
  world.variables["NODE_OPTIONS"] = "--use-env-proxy";
  EXPECT_EQ(world.of("node").verdict, Verdict::Ok);
  world.variables.erase("NODE_EXTRA_CA_CERTS");
  EXPECT_EQ(world.of("node").fix, "export NODE_EXTRA_CA_CERTS=/run/ca/ghmesh-ca.pem");
}

TEST(DoctorClients, JavaByItsProperties) {
  World world;
  world.variables["JAVA_TOOL_OPTIONS"] = "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=8418";
  EXPECT_THAT(world.of("java").detail, HasSubstr("no javax.net.ssl.trustStore"));
  world.variables["JAVA_TOOL_OPTIONS"] += " -Djavax.net.ssl.trustStore=/ts";
  world.outputs["keytool -list -rfc -keystore /ts -storepass changeit"] = system_roots();
  EXPECT_THAT(world.of("java").detail, HasSubstr("its CA is not in /ts"));
  world.outputs["keytool -list -rfc -keystore /ts -storepass changeit"] += kCa;
  EXPECT_EQ(world.of("java").verdict, Verdict::Ok);
  world.variables["JAVA_TOOL_OPTIONS"] = "-Dhttps.proxyHost=proxy.corp";
  EXPECT_EQ(world.of("java").verdict, Verdict::Wrong);
}

TEST(DoctorClients, ATunnelIsNoCache) {
  World world;
  world.point();
  world.node.ca.clear();
  EXPECT_THAT(world.of("curl").detail, HasSubstr("as a tunnel"));
}

TEST(Doctor, CertificatesAreFoundHoweverTheyAreWrapped) {
  EXPECT_TRUE(holds_certificate("-----BEGIN CERTIFICATE-----\r\nT1V\r\nSUw==\r\n-----END CERTIFICATE-----", kCa));
  EXPECT_FALSE(holds_certificate(system_roots(), kCa));
  EXPECT_FALSE(holds_certificate(system_roots(), ""));
}

TEST(Doctor, Variables) {
  World world;
  EXPECT_THAT(check_variables(world.machine(), world.node), IsEmpty());
  world.variables["HTTPS_PROXY"] = "https://127.0.0.1:8418";
  world.variables["NO_PROXY"] = "api.github.com";
  std::vector<std::string> seen;
  for (const Finding& each : check_variables(world.machine(), world.node))
    seen.push_back(each.name + " " + std::string(to_string(each.verdict)));
  EXPECT_THAT(seen, ElementsAre("HTTPS_PROXY wrong", "NO_PROXY wrong", "NO_PROXY warning"));
  world.variables = {{"no_proxy", "a"}, {"NO_PROXY", "b"}};
  EXPECT_EQ(check_variables(world.machine(), world.node).at(0).fix, "export no_proxy=\"$NO_PROXY\"");
}

TEST(Doctor, GithubApiUrlIsTheRunners) {
  World world;
  world.variables["GITHUB_API_URL"] = "https://api.github.com";
  EXPECT_THAT(check_variables(world.machine(), world.node), IsEmpty());
  world.variables["GITHUB_API_URL"] = kUrl;
  EXPECT_EQ(check_variables(world.machine(), world.node).at(0).verdict, Verdict::Ok);
  world.variables["GITHUB_ACTIONS"] = "true";
  EXPECT_EQ(check_variables(world.machine(), world.node).at(0).verdict, Verdict::Warning);
  world.variables.erase("GITHUB_ACTIONS");
  world.variables["GITHUB_API_URL"] = "http://127.0.0.1:1";
  EXPECT_EQ(check_variables(world.machine(), world.node).at(0).fix, "unset GITHUB_API_URL");
  const auto found = check_workflows(
      {{"ci.yml", "env:\n  # GITHUB_API_URL: no\n  GITHUB_API_URL: http://x\n  A: ${{ env.GITHUB_API_URL }}\n"},
       {"b.yml", "run: echo \"GITHUB_API_URL=x\" >> $GITHUB_ENV\n"}});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_THAT(found[0].detail, HasSubstr("ci.yml:3"));
}

TEST(Doctor, Clock) {
  const WallTime now(std::chrono::seconds(1767225600));
  const auto at = [&](int seconds) {
    return check_clock(http::format_http_date(now + std::chrono::seconds(seconds)), now);
  };
  EXPECT_EQ(at(5).verdict, Verdict::Ok);
  EXPECT_EQ(at(60).verdict, Verdict::Warning);
  EXPECT_THAT(at(60).detail, HasSubstr("60 s behind"));
  EXPECT_EQ(at(-3600).verdict, Verdict::Wrong);
  EXPECT_THAT(at(-3600).detail, HasSubstr("ahead of"));
  EXPECT_EQ(check_clock("nonsense", now).verdict, Verdict::Warning);
}

TEST(Doctor, Secret) {
  World world;
  node::config::Config config;
  EXPECT_EQ(check_secret(world.machine(), config).at(0).verdict, Verdict::Warning);  // none: local cache only
  world.variables["GITHUB_TOKEN"] = "ghs_0123456789abcdefghijABCDEFGHIJ012345";
  EXPECT_THAT(check_secret(world.machine(), config).at(0).detail, HasSubstr("ghs_"));
  world.variables["GHMESH_SECRET"] = "password";
  EXPECT_EQ(check_secret(world.machine(), config).at(0).verdict, Verdict::Wrong);
  EXPECT_THAT(check_secret(world.machine(), config).at(0).detail, testing::Not(HasSubstr("password\"")));
  world.variables["GHMESH_SECRET"] = "f81e2c9a77d0b35e4416a8c3905d2b7ee0c1495fb3a86d7214e9058c7fa2b36d";
  EXPECT_EQ(check_secret(world.machine(), config).at(0).verdict, Verdict::Ok);
  config.p2p = false;
  EXPECT_EQ(check_secret(world.machine(), config).at(0).verdict, Verdict::Ok);
}

TEST(Doctor, Registry) {
  World world;
  node::config::Config config;
  EXPECT_THAT(check_registry(world.machine(), config), IsEmpty());
  config.secret.source = node::config::MeshSecret::Source::Variable;
  config.registry = "/reg";
  EXPECT_EQ(check_registry(world.machine(), config).at(0).verdict, Verdict::Ok);
  world.facts["/reg"] = {.directory = true, .mode = 0755};
  EXPECT_THAT(check_registry(world.machine(), config).at(0).detail, HasSubstr("cannot be written"));
  world.facts["/reg"] = {.directory = true, .mode = 0777, .writable = true};
  EXPECT_EQ(check_registry(world.machine(), config).at(0).fix, "chmod +t /reg");
  world.facts["/reg"].mode = 01777;
  EXPECT_EQ(check_registry(world.machine(), config).at(0).verdict, Verdict::Ok);
  world.facts["/reg"] = {};
  EXPECT_THAT(check_registry(world.machine(), config).at(0).detail, HasSubstr("no directory"));
}

TEST(Doctor, Mesh) {
  EXPECT_THAT(check_mesh(R"({"mesh":false,"why_none":"no secret","addresses":[],"peers":[],"contacts":[]})", false),
              IsEmpty());
  const auto verdict = [](std::string_view addresses, bool container) {
    return check_mesh(R"({"addresses":)" + std::string(addresses) + R"(,"peers":[],"contacts":[]})", container)
        .at(0)
        .verdict;
  };
  EXPECT_EQ(verdict("[]", false), Verdict::Warning);
  EXPECT_EQ(verdict(R"(["/ip4/127.0.0.1/tcp/9100"])", false), Verdict::Warning);
  EXPECT_EQ(verdict(R"(["/ip4/10.1.2.3/tcp/9100"])", false), Verdict::Ok);
  EXPECT_EQ(verdict(R"(["/ip4/172.17.0.2/tcp/9100"])", true), Verdict::Warning);
  EXPECT_EQ(verdict(R"(["/ip4/140.82.121.6/tcp/9100"])", true), Verdict::Ok);
  const auto found = check_mesh(
      R"({"addresses":["/ip4/10.1.2.3/tcp/1"],"peers":[],"contacts":[{"address":"/ip4/10.0.0.9/tcp/9100","source":"--bootstrap","failures":3,"error":"refused"}]})",
      false);
  EXPECT_THAT(found.at(1).detail, HasSubstr("/ip4/10.0.0.9/tcp/9100 (--bootstrap) was dialled in vain: refused"));
}

TEST(Doctor, Containers) {
  World world;
  EXPECT_THAT(check_container(world.machine(), world.node), IsEmpty());
  world.facts["/.dockerenv"] = {};
  EXPECT_EQ(check_container(world.machine(), world.node).at(0).verdict, Verdict::Ok);
  world.node.answers = false;
  EXPECT_EQ(check_container(world.machine(), world.node).at(0).verdict, Verdict::Wrong);
}

TEST(Doctor, HooksAndUnits) {
  World world;
  EXPECT_THAT(check_hooks(world.machine()), IsEmpty());
  world.variables["ACTIONS_RUNNER_HOOK_JOB_STARTED"] = "/opt/ghmesh/job-started.sh";
  EXPECT_THAT(check_hooks(world.machine()).at(0).detail, HasSubstr("names no file"));
  world.facts["/opt/ghmesh/job-started.sh"] = {.mode = 0644};
  EXPECT_EQ(check_hooks(world.machine()).at(0).fix, "chmod +x /opt/ghmesh/job-started.sh");
  world.facts["/opt/ghmesh/job-started.sh"].mode = 0755;
  EXPECT_EQ(check_hooks(world.machine()).at(0).verdict, Verdict::Ok);
  world.files["/etc/systemd/system/ghmesh.service"] = "[Service]\nExecStart=/usr/bin/ghmesh serve\n";
  EXPECT_THAT(check_hooks(world.machine()).at(1).detail, HasSubstr("no program"));
  world.facts["/usr/bin/ghmesh"] = {.mode = 0755};
  EXPECT_EQ(check_hooks(world.machine()).at(1).verdict, Verdict::Warning);
  world.facts["/etc/systemd/system/ghmesh.socket"] = {.mode = 0644};
  EXPECT_EQ(check_hooks(world.machine()).at(1).verdict, Verdict::Ok);
}

TEST(Doctor, Report) {
  const std::vector<Finding> findings{{Verdict::Ok, "gh", "by the socket", ""},
                                      {Verdict::Wrong, "curl", "goes \x1b[31mdirectly", "export A=b"}};
  EXPECT_EQ(table_of(findings),
            "ok       gh    by the socket\nWRONG    curl  goes ?[31mdirectly\n               fix: export A=b\n");
  EXPECT_THAT(json_of(findings),
              HasSubstr(R"({"ok":false,"findings":[{"verdict":"ok","name":"gh","detail":"by the socket","fix":null})"));
  EXPECT_THAT(json_of({}), HasSubstr(R"("ok":true)"));
}

}  // namespace
}  // namespace ghmesh::cli::doctor
