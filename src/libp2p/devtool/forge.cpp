// SPDX-License-Identifier: Apache-2.0
#include "forge.hpp"

#include <memory>

namespace ghmesh::libp2p::devtool {

std::optional<Voucher> forger(std::string_view kind, const PrivateKey& own, Random& random) {
  const Voucher honest = voucher_of(own);
  const auto other = std::make_shared<const PrivateKey>(PrivateKey::generate(random));
  if (kind == "bit")
    return [honest](ByteView text) {
      Vouching said = honest(text);
      said.signature[7] ^= 1;
      return said;
    };
  if (kind == "empty") return [honest](ByteView text) { return Vouching{honest(text).public_key, {}}; };
  if (kind == "other-key")
    return [honest, other](ByteView text) { return Vouching{honest(text).public_key, other->sign(text)}; };
  if (kind == "foreign-key")
    return [honest, other](ByteView text) { return Vouching{other->public_key().encode(), honest(text).signature}; };
  if (kind == "other-text")
    return [honest](ByteView text) {
      Bytes longer(text.begin(), text.end());
      longer.push_back(0);
      return honest(longer);
    };
  if (kind == "short")
    return [honest](ByteView text) {
      Vouching said = honest(text);
      said.signature.pop_back();
      return said;
    };
  return std::nullopt;
}

}  // namespace ghmesh::libp2p::devtool
