// SPDX-License-Identifier: Apache-2.0
#include "tls/context.hpp"

#include "openssl.hpp"

namespace ghmesh::tls {
namespace detail {

std::string take_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

std::vector<std::uint8_t> encode_alpn(const std::vector<std::string>& protocols) {
  std::vector<std::uint8_t> out;
  for (const std::string& protocol : protocols) {
    out.push_back(static_cast<std::uint8_t>(protocol.size()));
    out.insert(out.end(), protocol.begin(), protocol.end());
  }
  return out;
}

OwnedBio memory_bio(std::string_view text) {
  return OwnedBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace detail

namespace {

SSL_CTX* make_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // One read takes what the socket has, not a record's header first.
  SSL_CTX_set_read_ahead(context, 1);
  return context;
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in, unsigned in_length,
                void* context) {
  const auto& ours = static_cast<const ServerContext*>(context)->alpn_wire();
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, ours.data(), static_cast<unsigned>(ours.size()), in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::shared_ptr<const ClientContext>> ClientContext::make(const ClientOptions& options) {
  std::shared_ptr<ClientContext> out(new ClientContext);
  out->context_ = make_context(TLS_client_method());
  if (out->context_ == nullptr) return fail(ErrorCode::Internal, "TLS: " + detail::take_error());
  SSL_CTX_set_verify(out->context_, SSL_VERIFY_PEER, nullptr);
  if (options.system_roots && SSL_CTX_set_default_verify_paths(out->context_) != 1)
    return fail(ErrorCode::Io, "TLS: the system's root certificates cannot be read: " + detail::take_error());
  if (!options.extra_roots_file.empty() &&
      SSL_CTX_load_verify_file(out->context_, options.extra_roots_file.c_str()) != 1) {
    return fail(ErrorCode::Io,
                "TLS: no certificate could be read from '" + options.extra_roots_file + "': " + detail::take_error());
  }
  out->alpn_wire_ = detail::encode_alpn(options.alpn);
  return out;
}

ClientContext::~ClientContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const ServerContext>> ServerContext::make(const ServerOptions& options) {
  std::shared_ptr<ServerContext> out(new ServerContext);
  out->context_ = make_context(TLS_server_method());
  if (out->context_ == nullptr) return fail(ErrorCode::Internal, "TLS: " + detail::take_error());
  const auto chain = detail::memory_bio(options.certificate_chain_pem);
  const detail::OwnedX509 leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_CTX_use_certificate(out->context_, leaf.get()) != 1)
    return fail(ErrorCode::Malformed, "TLS: the server's certificate is not PEM: " + detail::take_error());
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr))
    if (SSL_CTX_add0_chain_cert(out->context_, next) != 1) X509_free(next);
  ERR_clear_error();
  if (options.private_key_pem == nullptr) return fail(ErrorCode::Internal, "TLS: a server needs a private key");
  const auto key_bio = detail::memory_bio(options.private_key_pem->expose());
  const detail::OwnedKey key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(out->context_, key.get()) != 1)
    return fail(ErrorCode::Malformed, "TLS: the server's private key does not fit: " + detail::take_error());
  out->alpn_wire_ = detail::encode_alpn(options.alpn);
  if (!out->alpn_wire_.empty()) SSL_CTX_set_alpn_select_cb(out->context_, choose_alpn, out.get());
  return out;
}

ServerContext::~ServerContext() { SSL_CTX_free(context_); }

}  // namespace ghmesh::tls
