// SPDX-License-Identifier: Apache-2.0
#include "tls/local_authority.hpp"

#include "crypto/random.hpp"
#include "io/endpoint.hpp"
#include "tls/certificate.hpp"

namespace ghmesh::tls {
namespace {

// How long before its end a certificate is no longer shown: connections and clocks have that much room.
constexpr Duration kMargin = std::chrono::hours(1);

// Verifiers look issuers up by name: two of the same name at one time would confuse some of them.
std::string fresh_name() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::uint8_t, 4> raw{};
  crypto::SecureRandom().fill(raw);
  std::string name = "ghmesh local CA ";
  for (const std::uint8_t octet : raw) name.append({kDigits[octet >> 4], kDigits[octet & 15]});
  return name;
}

}  // namespace

Result<LocalAuthority::Generation> LocalAuthority::generate(WallTime now) const {
  AuthorityOptions authority;
  authority.common_name = fresh_name();
  authority.lifetime = options_.lifetime;
  for (const std::string& name : options_.names)
    (io::IpAddress::parse(name) ? authority.permitted_ip : authority.permitted_dns).push_back(name);
  // The authority's key ends with this function.
  const Result<Identity> made = make_authority(authority, now);
  if (!made) return std::unexpected(made.error());
  const Result<Identity> leaf = make_leaf(*made, options_.names, options_.lifetime, now);
  if (!leaf) return std::unexpected(leaf.error());
  auto context = ServerContext::make({leaf->certificate_pem, &leaf->private_key_pem, options_.alpn});
  if (!context) return std::unexpected(context.error());
  return Generation{made->certificate_pem, std::move(*context), now};
}

Result<std::unique_ptr<LocalAuthority>> LocalAuthority::make(const LocalAuthorityOptions& options, WallTime now) {
  std::unique_ptr<LocalAuthority> out(new LocalAuthority(options));
  Result<Generation> first = out->generate(now);
  if (!first) return std::unexpected(first.error());
  out->current_ = std::move(*first);
  return out;
}

std::string LocalAuthority::trusted_pem() const {
  return next_ ? current_.certificate_pem + next_->certificate_pem : current_.certificate_pem;
}

Result<bool> LocalAuthority::renew(WallTime now) {
  const auto until = [&](Duration age) {
    return now >= current_.made + std::chrono::duration_cast<WallTime::duration>(age);
  };
  bool changed = false;
  if (until(options_.lifetime - kMargin)) {
    // A machine that slept may have missed the successor's birth, or its whole life.
    if (!next_ || now >= next_->made + std::chrono::duration_cast<WallTime::duration>(options_.lifetime - kMargin)) {
      Result<Generation> made = generate(now);
      if (!made) return std::unexpected(made.error());
      next_ = std::move(*made);
    }
    current_ = std::move(*next_);
    next_.reset();
    changed = true;
  }
  if (!next_ && until(options_.lifetime / 2)) {
    Result<Generation> made = generate(now);
    if (!made) return std::unexpected(made.error());
    next_ = std::move(*made);
    changed = true;
  }
  return changed;
}

}  // namespace ghmesh::tls
