// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/random.hpp"

namespace ghmesh::crypto {

// The kernel's generator: what keys, nonces and secrets are made from. Any thread; keeps no state in the process, so a
// fork cannot repeat it. Dies when the kernel cannot deliver.
class SecureRandom final : public Random {
 public:
  void fill(MutableByteView out) override;
};

}  // namespace ghmesh::crypto
