// SPDX-License-Identifier: Apache-2.0
#include "libp2p/tls/tls_security.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "libp2p/tls/certificate.hpp"
#include "tls/tls_stream.hpp"

namespace ghmesh::libp2p::tls {

namespace {

constexpr std::string_view kAlpn = "libp2p";
// RFC 9266: what a channel is named by in TLS 1.3.
constexpr std::string_view kBindingLabel = "EXPORTER-Channel-Binding";
constexpr std::size_t kBindingSize = 32;

std::unexpected<Error> internal(const char* what) {
  ERR_clear_error();
  return fail(ErrorCode::Internal, std::string("tls: ") + what);
}

}  // namespace

struct TlsSecurity::Context {
  SSL_CTX* native = nullptr;
  std::vector<std::uint8_t> alpn;  // in wire form, in order of preference

  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { SSL_CTX_free(native); }

  // The certificate is judged once the handshake is done and before anything is read or sent: OpenSSL's own rules are
  // those of the web.
  static int accept_certificate(X509_STORE_CTX*, void*) { return 1; }
  static int choose(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned size,
                    void* self) {
    const auto& ours = static_cast<const Context*>(self)->alpn;
    unsigned char* chosen = nullptr;
    // The client's order decides (its list stands where OpenSSL expects the server's).
    if (SSL_select_next_proto(&chosen, out_size, in, size, ours.data(), static_cast<unsigned>(ours.size())) !=
        OPENSSL_NPN_NEGOTIATED)
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    // chosen points into the client's list, which lives as long as this call's answer is copied.
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
  }
};

TlsSecurity::~TlsSecurity() = default;

Result<std::unique_ptr<TlsSecurity>> TlsSecurity::make(const Voucher& identity, std::vector<std::string> muxers,
                                                       const Clock& clock, AcceptKeys accept_keys) {
  const Result<Certificate> certificate = make_certificate(identity, clock.wall_now());
  if (!certificate) return std::unexpected(certificate.error());
  auto context = std::make_shared<Context>();
  context->native = SSL_CTX_new(TLS_method());
  SSL_CTX* native = context->native;
  const Bytes& private_key = certificate->private_key_der.expose();
  if (native == nullptr || SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION) != 1 ||
      SSL_CTX_use_certificate_ASN1(native, static_cast<int>(certificate->der.size()), certificate->der.data()) != 1 ||
      SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_EC, native, private_key.data(), static_cast<long>(private_key.size())) != 1)
    return internal("the context cannot be made");
  SSL_CTX_set_mode(native,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(native, 1);
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(native, Context::accept_certificate, nullptr);
  // Every connection proves itself anew.
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  muxers.emplace_back(kAlpn);
  for (const std::string& name : muxers) {
    context->alpn.push_back(static_cast<std::uint8_t>(name.size()));
    append(context->alpn, name);
  }
  SSL_CTX_set_alpn_select_cb(native, Context::choose, context.get());
  return std::unique_ptr<TlsSecurity>(new TlsSecurity(std::move(context), clock, accept_keys));
}

io::Task<Result<SecuredStream>> TlsSecurity::secure(std::unique_ptr<io::Stream> lower, Direction direction,
                                                    std::optional<PeerId> expected) {
  SSL* ssl = SSL_new(context_->native);
  if (ssl == nullptr) co_return internal("no memory for a connection");
  if (direction == Direction::Outbound) {
    SSL_set_connect_state(ssl);
    SSL_set_alpn_protos(ssl, context_->alpn.data(), static_cast<unsigned>(context_->alpn.size()));
  } else {
    SSL_set_accept_state(ssl);
  }
  Result<ghmesh::tls::Connection> done =
      co_await ghmesh::tls::handshake(std::move(lower), ssl, context_, expected ? expected->text() : "a peer");
  if (!done) co_return std::unexpected(done.error());
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(ssl);
  // A server's view of the chain leaves the client's own certificate out.
  const int own = direction == Direction::Outbound ? 1 : 0;
  if (chain != nullptr && sk_X509_num(chain) > own)
    co_return fail(ErrorCode::Malformed, "tls: more than one certificate", Fault::Peer);
  Result<PublicKey> key = verify_certificate(done->peer_certificate, clock_.wall_now(), accept_keys_);
  if (!key) co_return std::unexpected(key.error());
  const PeerId peer = PeerId::from_key(*key);
  if (expected && peer != *expected)
    co_return fail(ErrorCode::Refused, "tls: another peer than the one dialled: " + peer.text(), Fault::Peer);
  if (done->alpn.empty()) co_return fail(ErrorCode::Unsupported, "tls: no application protocol agreed", Fault::Peer);
  Bytes binding(kBindingSize);
  if (SSL_export_keying_material(ssl, binding.data(), binding.size(), kBindingLabel.data(), kBindingLabel.size(),
                                 nullptr, 0, 0) != 1)
    co_return internal("no channel binding");
  std::optional<std::string> muxer;
  if (done->alpn != kAlpn) muxer = done->alpn;
  co_return SecuredStream{std::move(done->stream), std::move(*key), peer, std::move(muxer), std::move(binding)};
}

}  // namespace ghmesh::libp2p::tls
