// SPDX-License-Identifier: Apache-2.0
#include "tls/local_authority.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"
#include "openssl.hpp"
#include "tls/certificate.hpp"
#include "tls/tls_stream.hpp"

namespace ghmesh::tls {
namespace {

using namespace std::chrono_literals;

std::vector<detail::OwnedX509> certificates(const std::string& pem) {
  std::vector<detail::OwnedX509> out;
  const detail::OwnedBio bio = detail::memory_bio(pem);
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) out.emplace_back(one);
  return out;
}

// "" once a client that trusts roots has accepted what context shows for host, else why not.
std::string handshake(const std::string& roots, std::shared_ptr<const ServerContext> context, const std::string& host) {
  const std::string file =
      (std::filesystem::temp_directory_path() / ("ghmesh-authority-" + std::to_string(::getpid()) + ".pem")).string();
  std::ofstream(file) << roots;
  const auto client = ClientContext::make({.system_roots = false, .extra_roots_file = file, .alpn = {"http/1.1"}});
  std::filesystem::remove(file);
  if (!client) return client.error().message;
  io::ManualLoop loop;
  auto [near, far] = io::make_pipe(loop);
  std::optional<Result<Connection>> ours, theirs;
  io::TaskGroup group(loop);
  const auto deliver = [](io::Task<Result<Connection>> task, std::optional<Result<Connection>>& to) -> io::Task<> {
    to = co_await std::move(task);
  };
  group.spawn(deliver(connect(std::move(near), *client, host), ours));
  group.spawn(deliver(accept(std::move(far), context), theirs));
  loop.run_until([&] { return ours && theirs; });
  return *ours ? "" : ours->error().message;
}

class LocalAuthorityTest : public testing::Test {
 protected:
  LocalAuthorityTest() {
    auto made = LocalAuthority::make({.names = {"api.github.com", "127.0.0.1"}, .alpn = {"h2", "http/1.1"}}, start_);
    GHMESH_CHECK(made.has_value());
    authority_ = std::move(*made);
  }
  WallTime start_ = std::chrono::system_clock::now();
  std::unique_ptr<LocalAuthority> authority_;
};

TEST_F(LocalAuthorityTest, A23_ItIsShortLivedAndBoundToItsNames) {
  const auto all = certificates(authority_->trusted_pem());
  ASSERT_EQ(all.size(), 1u);
  X509* ca = all[0].get();
  EXPECT_EQ(X509_get_pathlen(ca), 0);
  EXPECT_EQ(X509_get_key_usage(ca), static_cast<std::uint32_t>(KU_KEY_CERT_SIGN));
  const int at = X509_get_ext_by_NID(ca, NID_name_constraints, -1);
  ASSERT_GE(at, 0);
  EXPECT_EQ(X509_EXTENSION_get_critical(X509_get_ext(ca, at)), 1);
  int days = 0, seconds = 0;
  ASSERT_EQ(ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(ca)), 1);
  EXPECT_LE(days * 86'400 + seconds, 86'400);
  EXPECT_GE(days * 86'400 + seconds, 86'000);
  EVP_PKEY* key = X509_get0_pubkey(ca);
  EXPECT_EQ(EVP_PKEY_get_bits(key), 256);
  EXPECT_EQ(EVP_PKEY_is_a(key, "EC"), 1);
}

TEST_F(LocalAuthorityTest, TheLeafIsGoodForItsNamesAlone) {
  const std::string roots = authority_->trusted_pem();
  EXPECT_EQ(handshake(roots, authority_->context(), "api.github.com"), "");
  EXPECT_EQ(handshake(roots, authority_->context(), "127.0.0.1"), "");
  EXPECT_NE(handshake(roots, authority_->context(), "github.com").find("hostname mismatch"), std::string::npos);
}

// Without an address among its names it may speak for none: a form that is not constrained would be allowed.
TEST_F(LocalAuthorityTest, A23_AnAuthorityForAHostSignsForNothingElse) {
  const auto authority = make_authority({.permitted_dns = {"api.github.com"}}, start_);
  ASSERT_TRUE(authority);
  const auto shown_for = [&](const std::string& name) {
    const auto leaf = make_leaf(*authority, {name}, 1h, start_);
    const auto context = ServerContext::make({leaf->certificate_pem, &leaf->private_key_pem, {"http/1.1"}});
    return handshake(authority->certificate_pem, *context, name);
  };
  EXPECT_EQ(shown_for("api.github.com"), "");
  for (const char* name : {"github.com", "evil.example", "127.0.0.1", "93.184.216.34", "2001:db8::1"})
    EXPECT_NE(shown_for(name).find("subtree violation"), std::string::npos) << name << ": " << shown_for(name);
}

TEST_F(LocalAuthorityTest, ASuccessorIsTrustedBeforeItIsShown) {
  const std::string first = authority_->trusted_pem();
  const auto shown = authority_->context();
  EXPECT_FALSE(*authority_->renew(start_ + 11h));
  EXPECT_EQ(authority_->trusted_pem(), first);
  EXPECT_TRUE(*authority_->renew(start_ + 12h));
  const std::string both = authority_->trusted_pem();
  EXPECT_EQ(certificates(both).size(), 2u);
  EXPECT_TRUE(both.starts_with(first));
  EXPECT_EQ(authority_->context(), shown);
  EXPECT_FALSE(*authority_->renew(start_ + 22h));
  EXPECT_TRUE(*authority_->renew(start_ + 23h));
  EXPECT_NE(authority_->context(), shown);
  EXPECT_EQ(both, first + authority_->trusted_pem());
  // And so on.
  EXPECT_TRUE(*authority_->renew(start_ + 24h));
  EXPECT_EQ(certificates(authority_->trusted_pem()).size(), 2u);
}

TEST_F(LocalAuthorityTest, AMachineThatSleptForDaysStartsAnew) {
  const std::string first = authority_->trusted_pem();
  EXPECT_TRUE(*authority_->renew(start_ + 72h));
  EXPECT_EQ(certificates(authority_->trusted_pem()).size(), 1u);
  EXPECT_EQ(authority_->trusted_pem().find(first), std::string::npos);
  EXPECT_FALSE(*authority_->renew(start_ + 72h));
  // Also when a successor had been made before.
  EXPECT_TRUE(*authority_->renew(start_ + 84h));
  EXPECT_TRUE(*authority_->renew(start_ + 200h));
  EXPECT_EQ(certificates(authority_->trusted_pem()).size(), 1u);
}

}  // namespace
}  // namespace ghmesh::tls
