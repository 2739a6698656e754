// SPDX-License-Identifier: Apache-2.0
#include "shelter.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace ghmesh::cli {
namespace {

TEST(Shelter, NamesThatMayHoldASecret) {
  for (const char* name :
       {"GHMESH_SECRET", "CACHE_P2P_SHARED_SECRET", "GH_TOKEN", "GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "NPM_TOKEN", "AWS_SECRET_ACCESS_KEY", "API_KEY", "DB_PASSWORD"})
    EXPECT_TRUE(may_hold_secret(name)) << name;
  for (const char* name :
       {"PATH", "HOME", "SSL_CERT_FILE", "RUNNER_TEMP", "GITHUB_ENV", "LANG", "TMPDIR", "LISTEN_FDS"})
    EXPECT_FALSE(may_hold_secret(name)) << name;
}

// A child in whose place a node would run.
TEST(Shelter, A8_OthersOfTheUserSeeNoMemoryAndNoSecretVariable) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Put into the block that the kernel shows by being started with them.
    const char* words[] = {"/proc/self/exe", "--gtest_filter=ShelterChild.DISABLED_Looks",
                           "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr};
    const char* variables[] = {"GHMESH_SECRET=hush-hush-hush", "GH_TOKEN=ghp_hush", "PLAIN=seen", nullptr};
    ::execve(words[0], const_cast<char* const*>(words), const_cast<char* const*>(variables));
    ::_exit(127);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

std::string shown_environment() {
  std::ostringstream out;
  out << std::ifstream("/proc/self/environ", std::ios::binary).rdbuf();
  return out.str();
}

TEST(ShelterChild, DISABLED_Looks) {
  const auto variables = node::config::Variables::of_process();
  ASSERT_NE(shown_environment().find("hush"), std::string::npos);
  ASSERT_EQ(::prctl(PR_GET_DUMPABLE), 1);
  shelter_process(variables);
  EXPECT_EQ(shown_environment().find("hush"), std::string::npos);
  EXPECT_NE(shown_environment().find("PLAIN=seen"), std::string::npos);
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 0);
  EXPECT_EQ(variables.get("GHMESH_SECRET"), "hush-hush-hush") << "for the node's own use and for children";
}

}  // namespace
}  // namespace ghmesh::cli
