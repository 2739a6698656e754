// SPDX-License-Identifier: Apache-2.0
#include "crypto/random.hpp"

#include <sodium.h>

#include "base/check.hpp"

namespace ghmesh::crypto {

void SecureRandom::fill(MutableByteView out) {
  static const bool ready = sodium_init() >= 0;
  GHMESH_CHECK(ready);
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

}  // namespace ghmesh::crypto
