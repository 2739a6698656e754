// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/random.hpp"
#include "crypto/secret.hpp"
#include "store/files.hpp"

namespace ghmesh::store {

// The key in the directory's file "key", made at the first start (doc/formats/store.md). A damaged key file is
// replaced: what was sealed under it cannot be read by anyone and is discarded with it. It protects copies of the
// segments, and deleting 40 bytes destroys all content; whoever can read the whole directory can read the store. A node
// that has a better place for its key passes it to the store instead.
Result<crypto::SecretKey32> load_or_make_key(Directory& directory, Random& random);

}  // namespace ghmesh::store
