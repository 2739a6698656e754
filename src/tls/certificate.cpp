// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate.hpp"

#include <openssl/rand.h>

#include "io/endpoint.hpp"
#include "openssl.hpp"

namespace ghmesh::tls {
namespace {

using detail::OwnedBio;
using detail::OwnedKey;
using detail::OwnedX509;

// Clocks of a fleet differ; a certificate must not be "not yet valid" on the machine next door.
constexpr auto kBackdate = std::chrono::hours(1);

OwnedKey make_key() { return OwnedKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); }

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const detail::OwnedExtension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

void set_times(X509* certificate, WallTime now, Duration lifetime) {
  const std::time_t from = std::chrono::system_clock::to_time_t(now - kBackdate);
  const std::time_t to =
      std::chrono::system_clock::to_time_t(now + std::chrono::duration_cast<WallTime::duration>(lifetime));
  ASN1_TIME_set(X509_getm_notBefore(certificate), from);
  ASN1_TIME_set(X509_getm_notAfter(certificate), to);
}

void set_serial(X509* certificate) {
  unsigned char raw[16];
  RAND_bytes(raw, sizeof raw);
  raw[0] &= 0x7f;  // positive
  BIGNUM* number = BN_bin2bn(raw, sizeof raw, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
}

void add_common_name(X509_NAME* name, const std::string& text) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                             static_cast<int>(text.size()), -1, 0);
}

Result<Identity> export_identity(X509* certificate, EVP_PKEY* key, const std::string& issuer_pem) {
  const OwnedBio text(BIO_new(BIO_s_mem()));
  const OwnedBio secret(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_X509(text.get(), certificate) != 1 ||
      PEM_write_bio_PrivateKey(secret.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(ErrorCode::Internal, "writing a certificate: " + detail::take_error());
  }
  Identity out;
  out.certificate_pem = bio_text(text.get()) + issuer_pem;
  out.private_key_pem = crypto::SecretText(bio_text(secret.get()));
  return out;
}

}  // namespace

Result<Identity> make_authority(const AuthorityOptions& options, WallTime now) {
  const OwnedKey key = make_key();
  const OwnedX509 certificate(X509_new());
  if (!key || !certificate) return fail(ErrorCode::Internal, "making a CA: " + detail::take_error());
  X509_set_version(certificate.get(), X509_VERSION_3);
  set_serial(certificate.get());
  set_times(certificate.get(), now, options.lifetime);
  add_common_name(X509_get_subject_name(certificate.get()), options.common_name);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  X509_set_pubkey(certificate.get(), key.get());

  std::string constraints = "critical";
  for (const std::string& name : options.permitted_dns) constraints += ",permitted;DNS:" + name;
  for (const std::string& ip : options.permitted_ip) {
    const bool v6 = ip.find(':') != std::string::npos;
    constraints += ",permitted;IP:" + ip + (v6 ? "/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "/255.255.255.255");
  }
  // Without an address in the list all addresses would stay allowed (RFC 5280 §4.2.1.10: a form that is not named is
  // not constrained).
  if (options.permitted_ip.empty()) constraints += ",excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::";
  X509* raw = certificate.get();
  const bool extended = add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                        add_extension(raw, raw, NID_key_usage, "critical,keyCertSign") &&
                        add_extension(raw, raw, NID_subject_key_identifier, "hash") &&
                        add_extension(raw, raw, NID_name_constraints, constraints);
  if (!extended || X509_sign(raw, key.get(), EVP_sha256()) == 0)
    return fail(ErrorCode::Internal, "making a CA: " + detail::take_error());
  return export_identity(raw, key.get(), "");
}

Result<Identity> make_leaf(const Identity& authority, const std::vector<std::string>& names, Duration lifetime,
                           WallTime now) {
  const auto certificate_bio = detail::memory_bio(authority.certificate_pem);
  const auto key_bio = detail::memory_bio(authority.private_key_pem.expose());
  const OwnedX509 issuer(PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr));
  const OwnedKey issuer_key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  const OwnedKey key = make_key();
  const OwnedX509 certificate(X509_new());
  if (!issuer || !issuer_key || !key || !certificate || names.empty())
    return fail(ErrorCode::Internal, "making a leaf certificate: " + detail::take_error());

  std::string alternatives;
  for (const std::string& name : names) {
    if (!alternatives.empty()) alternatives += ",";
    alternatives += (io::IpAddress::parse(name) ? "IP:" : "DNS:") + name;
  }
  X509* raw = certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  set_serial(raw);
  set_times(raw, now, lifetime);
  if (ASN1_TIME_compare(X509_get0_notAfter(raw), X509_get0_notAfter(issuer.get())) > 0)
    X509_set1_notAfter(raw, X509_get0_notAfter(issuer.get()));
  // Verifiers hold a common name that looks like a host name against the constraints on DNS names, so it must not.
  add_common_name(X509_get_subject_name(raw), "ghmesh leaf");
  X509_set_issuer_name(raw, X509_get_subject_name(issuer.get()));
  X509_set_pubkey(raw, key.get());
  const bool extended = add_extension(raw, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                        add_extension(raw, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
                        add_extension(raw, issuer.get(), NID_ext_key_usage, "serverAuth") &&
                        add_extension(raw, issuer.get(), NID_subject_key_identifier, "hash") &&
                        add_extension(raw, issuer.get(), NID_authority_key_identifier, "keyid") &&
                        add_extension(raw, issuer.get(), NID_subject_alt_name, alternatives);
  if (!extended || X509_sign(raw, issuer_key.get(), EVP_sha256()) == 0)
    return fail(ErrorCode::Internal, "making a leaf certificate: " + detail::take_error());
  return export_identity(raw, key.get(), authority.certificate_pem);
}

}  // namespace ghmesh::tls
