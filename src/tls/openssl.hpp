// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// OpenSSL's objects with owners, and its error queue as text. Private to this room.

namespace ghmesh::tls::detail {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

using OwnedSsl = Owned<SSL, SSL_free>;
using OwnedBio = Owned<BIO, BIO_free>;
using OwnedX509 = Owned<X509, X509_free>;
using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedExtension = Owned<X509_EXTENSION, X509_EXTENSION_free>;

// The oldest error of this thread's queue, which is emptied.
std::string take_error();

// Protocol names as ALPN carries them (RFC 7301 §3.1).
std::vector<std::uint8_t> encode_alpn(const std::vector<std::string>& protocols);

OwnedBio memory_bio(std::string_view text);

}  // namespace ghmesh::tls::detail
