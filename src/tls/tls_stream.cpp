// SPDX-License-Identifier: Apache-2.0
#include "tls/tls_stream.hpp"

#include <algorithm>
#include <optional>

#include "openssl.hpp"

namespace ghmesh::tls {
namespace {

// Sealed records wait here until the lower stream takes them: one write for several records.
constexpr std::size_t kMaxUnsentBytes = 64 * 1024;

class TlsStream final : public io::Stream {
 public:
  TlsStream(std::unique_ptr<io::Stream> lower, SSL* ssl, std::shared_ptr<const void> context)
      : Stream(lower->loop()), lower_(std::move(lower)), context_(std::move(context)), ssl_(ssl), flusher_(*this) {
    BIO* bio = BIO_new(method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
  }

  // Until the handshake is done or has failed.
  io::Task<Result<>> handshake(std::string with) {
    while (true) {
      ERR_clear_error();
      const int result = SSL_do_handshake(ssl_.get());
      const int reason = SSL_get_error(ssl_.get(), result);
      // What OpenSSL said must be read before flushing, which may call it again.
      std::string why = reason == SSL_ERROR_SSL ? describe_failure() : std::string();
      flush();
      if (result == 1) co_return Result<>{};
      if (lower_failed_) co_return std::unexpected(lower_->error().with_context("TLS handshake with " + with));
      if (reason == SSL_ERROR_WANT_READ) {
        co_await lower_->readable();
      } else if (reason == SSL_ERROR_SSL) {
        co_return fail(ErrorCode::Authentic, "TLS handshake with " + with + ": " + why, Fault::Peer);
      } else {
        co_return fail(ErrorCode::Closed, "TLS handshake with " + with + ": the other side closed the connection",
                       Fault::Peer, Retry::Later);
      }
    }
  }

  io::IoStatus try_read(MutableByteView out) override {
    if (failure_) return {io::IoStatus::Failed, 0};
    if (out.empty()) return {io::IoStatus::Done, 0};
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), out.data(), out.size(), &count);
    const int reason = SSL_get_error(ssl_.get(), result);
    if (!unsent_.empty()) flush();
    if (result == 1) return {io::IoStatus::Done, count};
    switch (reason) {
      case SSL_ERROR_WANT_READ: return {io::IoStatus::WouldBlock, 0};
      case SSL_ERROR_ZERO_RETURN: return {io::IoStatus::End, 0};
      default: return on_failure("reading");
    }
  }

  io::IoStatus try_write(std::span<const iovec> parts) override {
    if (failure_) return {io::IoStatus::Failed, 0};
    if (unsent_.size() - sent_ >= kMaxUnsentBytes) return {io::IoStatus::WouldBlock, 0};
    std::size_t total = 0;
    bool blocked = false;
    for (const iovec& part : parts) {
      std::size_t done = 0;
      while (done < part.iov_len && !blocked) {
        std::size_t count = 0;
        ERR_clear_error();
        const int result =
            SSL_write_ex(ssl_.get(), static_cast<const char*>(part.iov_base) + done, part.iov_len - done, &count);
        if (result == 1) {
          done += count;
          continue;
        }
        const int reason = SSL_get_error(ssl_.get(), result);
        if (reason != SSL_ERROR_WANT_WRITE && reason != SSL_ERROR_WANT_READ) return on_failure("writing");
        blocked = true;
      }
      total += done;
      if (blocked) break;
    }
    flush();
    if (lower_failed_) return on_failure("writing");
    if (total == 0 && blocked) return {io::IoStatus::WouldBlock, 0};
    return {io::IoStatus::Done, total};
  }

  void wait_readable(io::Waiter& waiter) override {
    if (failure_) return loop().make_ready(waiter);
    lower_->wait_readable(waiter);
  }
  void wait_writable(io::Waiter& waiter) override {
    if (failure_ || unsent_.size() - sent_ < kMaxUnsentBytes) return loop().make_ready(waiter);
    writers_.push_back(waiter);
  }

  void shutdown_write() override {
    if (failure_) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    finishing_ = true;
    flush();
  }
  void abort(Error why) override {
    if (failure_) return;
    failure_ = std::move(why);
    lower_->abort(*failure_);
    flusher_.unlink();
    while (!writers_.empty()) loop().make_ready(writers_.front());
  }
  Error error() const override { return failure_.value_or(Error{}); }
  std::optional<io::Endpoint> remote_endpoint() const override { return lower_->remote_endpoint(); }
  std::optional<io::Endpoint> local_endpoint() const override { return lower_->local_endpoint(); }

  SSL* ssl() const { return ssl_.get(); }

 private:
  // Sends what waits as soon as the lower stream has room, also when nobody writes any more.
  class Flusher final : public io::Waiter {
   public:
    explicit Flusher(TlsStream& stream) : stream_(stream) {}
    void run() override { stream_.flush(); }

   private:
    TlsStream& stream_;
  };

  void flush() {
    while (sent_ < unsent_.size() && !lower_failed_) {
      const iovec part{unsent_.data() + sent_, unsent_.size() - sent_};
      const io::IoStatus status = lower_->try_write(std::span(&part, 1));
      if (status.kind == io::IoStatus::WouldBlock) {
        flusher_.unlink();
        lower_->wait_writable(flusher_);
        return;
      }
      if (status.kind != io::IoStatus::Done) {
        lower_failed_ = true;
        break;
      }
      sent_ += status.bytes;
    }
    unsent_.clear();
    sent_ = 0;
    if (finishing_ && !lower_failed_) lower_->shutdown_write();
    while (!writers_.empty()) loop().make_ready(writers_.front());
  }

  std::string describe_failure() const {
    const long verdict = SSL_get_verify_result(ssl_.get());
    if (verdict != X509_V_OK) {
      ERR_clear_error();
      return std::string("certificate refused: ") + X509_verify_cert_error_string(verdict);
    }
    return detail::take_error();
  }

  io::IoStatus on_failure(const char* doing) {
    if (lower_failed_) {
      failure_ = lower_->error();
    } else {
      // An end without close_notify may be an attacker's cut (RFC 8446 §6.1), so it is never a clean end.
      failure_ = Error{lower_ended_ ? ErrorCode::Closed : ErrorCode::Authentic, Fault::Peer, Retry::Later,
                       std::string("TLS ") + doing + ": " +
                           (lower_ended_ ? "the connection was cut without a farewell" : detail::take_error())};
    }
    return {io::IoStatus::Failed, 0};
  }

  static int bio_read(BIO* bio, char* out, std::size_t size, std::size_t* count) {
    auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const io::IoStatus status = self.lower_->try_read({reinterpret_cast<std::uint8_t*>(out), size});
    *count = status.bytes;
    switch (status.kind) {
      case io::IoStatus::Done: return 1;
      case io::IoStatus::WouldBlock: BIO_set_retry_read(bio); return 0;
      case io::IoStatus::End: self.lower_ended_ = true; return 0;
      case io::IoStatus::Failed: self.lower_failed_ = true; return 0;
    }
    return 0;
  }
  static int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* count) {
    auto& self = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    // A record in progress is always taken whole; the bound holds to within one record (16 KiB and a tag).
    if (self.unsent_.size() - self.sent_ >= kMaxUnsentBytes) {
      BIO_set_retry_write(bio);
      *count = 0;
      return 0;
    }
    append(self.unsent_, ByteView(reinterpret_cast<const std::uint8_t*>(data), size));
    *count = size;
    return 1;
  }
  static long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ghmesh stream");
      BIO_meth_set_read_ex(m, bio_read);
      BIO_meth_set_write_ex(m, bio_write);
      BIO_meth_set_ctrl(m, bio_control);
      return m;
    }();
    return made;
  }

  std::unique_ptr<io::Stream> lower_;
  std::shared_ptr<const void> context_;  // ALPN selection refers to it
  detail::OwnedSsl ssl_;
  Bytes unsent_;
  std::size_t sent_ = 0;  // of unsent_
  bool finishing_ = false;
  bool lower_ended_ = false;
  bool lower_failed_ = false;
  std::optional<Error> failure_;
  IntrusiveList<io::Waiter> writers_;
  Flusher flusher_;
};

Connection finish(std::unique_ptr<TlsStream> stream) {
  Connection out;
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(stream->ssl(), &name, &length);
  if (name != nullptr) out.alpn.assign(reinterpret_cast<const char*>(name), length);
  if (const X509* peer = SSL_get0_peer_certificate(stream->ssl())) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(peer, &der);
    if (size > 0) out.peer_certificate.assign(der, der + size);
    OPENSSL_free(der);
  }
  out.stream = std::move(stream);
  return out;
}

}  // namespace

io::Task<Result<Connection>> connect(std::unique_ptr<io::Stream> lower, std::shared_ptr<const ClientContext> context,
                                     std::string host) {
  SSL* ssl = SSL_new(context->native());
  if (ssl == nullptr) co_return fail(ErrorCode::Internal, "TLS: " + detail::take_error());
  auto stream = std::make_unique<TlsStream>(std::move(lower), ssl, context);
  SSL_set_connect_state(ssl);
  if (!context->alpn_wire().empty())
    SSL_set_alpn_protos(ssl, context->alpn_wire().data(), static_cast<unsigned>(context->alpn_wire().size()));
  if (io::IpAddress::parse(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, host.c_str());
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, host.c_str());
  }
  if (Result<> done = co_await stream->handshake(host); !done) co_return std::unexpected(done.error());
  co_return finish(std::move(stream));
}

io::Task<Result<Connection>> accept(std::unique_ptr<io::Stream> lower, std::shared_ptr<const ServerContext> context) {
  SSL* ssl = SSL_new(context->native());
  if (ssl == nullptr) co_return fail(ErrorCode::Internal, "TLS: " + detail::take_error());
  auto stream = std::make_unique<TlsStream>(std::move(lower), ssl, context);
  SSL_set_accept_state(ssl);
  if (Result<> done = co_await stream->handshake("a client"); !done) co_return std::unexpected(done.error());
  co_return finish(std::move(stream));
}

io::Task<Result<Connection>> handshake(std::unique_ptr<io::Stream> lower, ssl_st* ssl,
                                       std::shared_ptr<const void> context, std::string with) {
  auto stream = std::make_unique<TlsStream>(std::move(lower), ssl, std::move(context));
  if (Result<> done = co_await stream->handshake(std::move(with)); !done) co_return std::unexpected(done.error());
  co_return finish(std::move(stream));
}

}  // namespace ghmesh::tls
