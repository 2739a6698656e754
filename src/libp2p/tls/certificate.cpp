// SPDX-License-Identifier: Apache-2.0
#include "libp2p/tls/certificate.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>

namespace ghmesh::libp2p::tls {

namespace {

constexpr const char* kExtension = "1.3.6.1.4.1.53594.1.1";
constexpr std::string_view kPrefix = "libp2p-tls-handshake:";
constexpr long kHour = 3600;
constexpr long kDays = 36525;
// The largest certificate of an accepted key type stays far below; refused before it is parsed.
constexpr std::size_t kMaxCertificate = 8 * 1024;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using OwnedX509 = std::unique_ptr<X509, Deleter<X509_free>>;
using OwnedKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using OwnedObject = std::unique_ptr<ASN1_OBJECT, Deleter<ASN1_OBJECT_free>>;
using OwnedOctets = std::unique_ptr<ASN1_OCTET_STRING, Deleter<ASN1_OCTET_STRING_free>>;
using OwnedExtension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

std::unexpected<Error> fault(ErrorCode code, const char* what) {
  ERR_clear_error();
  return fail(code, std::string("tls: ") + what, Fault::Peer);
}

std::unexpected<Error> internal() {
  ERR_clear_error();
  return fail(ErrorCode::Internal, "tls: the certificate cannot be made");
}

template <typename T, typename Encode>
Bytes to_der(const T* object, Encode encode) {
  unsigned char* der = nullptr;
  const int size = encode(object, &der);
  Bytes out;
  if (size > 0) out.assign(der, der + size);
  OPENSSL_free(der);
  return out;
}

void append_der(Bytes& out, std::uint8_t tag, ByteView content) {
  out.push_back(tag);
  if (content.size() >= 0x100) {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(content.size() >> 8));
  } else if (content.size() >= 0x80) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(content.size()));
  append(out, content);
}

// Takes one element of that tag off the front of in; only short definite lengths in their minimal form.
std::optional<ByteView> take_der(ByteView& in, std::uint8_t tag) {
  if (in.size() < 2 || in[0] != tag) return std::nullopt;
  std::size_t size = in[1];
  std::size_t head = 2;
  if (size == 0x81 && in.size() >= 3 && in[2] >= 0x80) {
    size = in[2];
    head = 3;
  } else if (size == 0x82 && in.size() >= 4 && in[2] != 0) {
    size = load_be<std::uint16_t>(&in[2]);
    head = 4;
  } else if (size >= 0x80) {
    return std::nullopt;
  }
  if (in.size() - head < size) return std::nullopt;
  const ByteView content = in.subspan(head, size);
  in = in.subspan(head + size);
  return content;
}

Bytes signed_text(ByteView key_info) {
  Bytes out = to_bytes(kPrefix);
  append(out, key_info);
  return out;
}

constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kOctetString = 0x04;

std::time_t seconds(WallTime at) { return std::chrono::system_clock::to_time_t(at); }

// The content of the one extension that matters; no other may be critical.
Result<ByteView> find_extension(const X509* certificate) {
  const OwnedObject wanted(OBJ_txt2obj(kExtension, 1));
  std::optional<ByteView> found;
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    if (OBJ_cmp(X509_EXTENSION_get_object(extension), wanted.get()) != 0) {
      if (X509_EXTENSION_get_critical(extension) != 0)
        return fault(ErrorCode::Malformed, "an unknown critical extension");
      continue;
    }
    if (found) return fault(ErrorCode::Malformed, "the identity twice");
    const ASN1_OCTET_STRING* data = X509_EXTENSION_get_data(extension);
    found = ByteView(ASN1_STRING_get0_data(data), static_cast<std::size_t>(ASN1_STRING_length(data)));
  }
  if (!found) return fault(ErrorCode::Malformed, "a certificate without an identity");
  return *found;
}

}  // namespace

Result<Certificate> make_certificate(const Voucher& identity, WallTime now) {
  const OwnedKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const OwnedX509 x509(X509_new());
  if (!key || !x509) return internal();
  std::uint8_t serial[8];
  if (RAND_bytes(serial, sizeof serial) != 1) return internal();
  std::time_t begin = seconds(now);
  bool fine = X509_set_version(x509.get(), X509_VERSION_3) == 1 &&
              ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509.get()), load_be<std::uint64_t>(serial) >> 1) == 1 &&
              X509_time_adj_ex(X509_getm_notBefore(x509.get()), 0, -kHour, &begin) != nullptr &&
              X509_time_adj_ex(X509_getm_notAfter(x509.get()), kDays, 0, &begin) != nullptr &&
              X509_set_pubkey(x509.get(), key.get()) == 1;
  X509_NAME* name = X509_get_subject_name(x509.get());
  fine = fine && X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, as_bytes("libp2p.io").data(), -1, -1, 0) == 1 &&
         X509_set_issuer_name(x509.get(), name) == 1;
  if (!fine) return internal();

  const Bytes key_info = to_der(key.get(), [](const EVP_PKEY* k, unsigned char** out) { return i2d_PUBKEY(k, out); });
  Bytes parts;
  const Vouching said = identity(signed_text(key_info));
  append_der(parts, kOctetString, said.public_key);
  append_der(parts, kOctetString, said.signature);
  Bytes content;
  append_der(content, kSequence, parts);
  const OwnedOctets octets(ASN1_OCTET_STRING_new());
  const OwnedObject id(OBJ_txt2obj(kExtension, 1));
  if (!octets || !id || ASN1_OCTET_STRING_set(octets.get(), content.data(), static_cast<int>(content.size())) != 1)
    return internal();
  const OwnedExtension extension(X509_EXTENSION_create_by_OBJ(nullptr, id.get(), 0, octets.get()));
  if (!extension || X509_add_ext(x509.get(), extension.get(), -1) != 1 ||
      X509_sign(x509.get(), key.get(), EVP_sha256()) == 0)
    return internal();

  Certificate out;
  out.der = to_der(x509.get(), [](const X509* c, unsigned char** to) { return i2d_X509(c, to); });
  out.private_key_der = crypto::SecretBytes(
      to_der(key.get(), [](const EVP_PKEY* k, unsigned char** to) { return i2d_PrivateKey(k, to); }));
  if (out.der.empty() || out.private_key_der.expose().empty()) return internal();
  return out;
}

Result<PublicKey> verify_certificate(ByteView der, WallTime now, const AcceptKeys& accept) {
  if (der.size() > kMaxCertificate) return fault(ErrorCode::Limit, "a certificate is too long");
  const unsigned char* at = der.data();
  const OwnedX509 x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!x509 || at != der.data() + der.size()) return fault(ErrorCode::Malformed, "no certificate");
  const Result<ByteView> extension = find_extension(x509.get());
  if (!extension) return std::unexpected(extension.error());

  ByteView rest = *extension;
  const auto sequence = take_der(rest, kSequence);
  if (!sequence || !rest.empty()) return fault(ErrorCode::Malformed, "an identity that is no SignedKey");
  ByteView inside = *sequence;
  const auto identity = take_der(inside, kOctetString);
  const auto signature = take_der(inside, kOctetString);
  if (!identity || !signature || !inside.empty())
    return fault(ErrorCode::Malformed, "an identity that is no SignedKey");
  // The type of key is judged before any arithmetic.
  Result<PublicKey> key = PublicKey::decode(*identity, accept);
  if (!key) return key;

  std::time_t moment = seconds(now);
  if (X509_cmp_time(X509_get0_notBefore(x509.get()), &moment) >= 0 ||
      X509_cmp_time(X509_get0_notAfter(x509.get()), &moment) <= 0)
    return fault(ErrorCode::Refused, "a certificate that is not valid now");
  EVP_PKEY* own = X509_get0_pubkey(x509.get());
  if (own == nullptr || X509_verify(x509.get(), own) != 1)
    return fault(ErrorCode::Authentic, "a certificate's own signature does not hold");
  const Bytes key_info = to_der(own, [](const EVP_PKEY* k, unsigned char** out) { return i2d_PUBKEY(k, out); });
  if (!key->verify(signed_text(key_info), *signature))
    return fault(ErrorCode::Authentic, "the identity did not sign the certificate's key");
  return key;
}

}  // namespace ghmesh::libp2p::tls
