// SPDX-License-Identifier: Apache-2.0
// id and secret new: keys without a node.
#include "identity.hpp"

#include <array>

#include "command.hpp"
#include "crypto/random.hpp"
#include "crypto/secret.hpp"
#include "libp2p/core/peer_id.hpp"

namespace ghmesh::cli {

namespace {

// The file that the node would use, without reading the rest of its settings.
Result<std::string> identity_path(const Arguments& arguments, const Context& context) {
  if (auto given = arguments.get("identity")) return *given;
  if (const auto variable = context.variables.get("GHMESH_IDENTITY")) return std::string(*variable);
  for (const std::string_view name : {"GHMESH_CACHE_DIR", "CACHE_DIR"}) {
    if (const auto dir = context.variables.get(name); dir && *dir != "none") return std::string(*dir) + "/identity.key";
  }
  if (const auto home = node::config::xdg_cache_home(context.variables)) return *home + "/ghmesh/identity.key";
  return fail(ErrorCode::NotFound, "neither XDG_CACHE_HOME nor HOME is set; give --identity FILE");
}

}  // namespace

Result<libp2p::PrivateKey> read_identity(const std::string& path) {
  Result<std::string> text = node::config::read_small_file(path);
  if (!text)
    return std::unexpected(Error{ErrorCode::NotFound, Fault::Local, Retry::No,
                                 text.error().message + "; a node makes it at its first start"});
  crypto::SecretBytes encoded(to_bytes(*text));
  crypto::wipe({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
  Result<libp2p::PrivateKey> key = libp2p::PrivateKey::decode(encoded);
  if (!key) return fail(ErrorCode::Malformed, path + " is not an identity file: " + key.error().message);
  return key;
}

int id(const Arguments& arguments, Context& context) {
  const Result<std::string> path = identity_path(arguments, context);
  if (!path) return complain(context, kFailed, "id: " + path.error().message);
  const Result<libp2p::PrivateKey> key = read_identity(*path);
  if (!key) return complain(context, kFailed, "id: " + key.error().message);
  const std::string peer_id = libp2p::PeerId::from_key(key->public_key()).text();
  if (arguments.has("json")) {
    context.out << "{\"peer_id\":\"" << peer_id << "\"}\n";
  } else {
    context.out << peer_id << "\n";
  }
  return kDone;
}

int secret_new(const Arguments&, Context& context) {
  crypto::SecureRandom random;
  crypto::SecretKey32 secret;
  random.fill(secret.expose_mutable());
  context.out << to_hex(secret.expose()) << "\n";
  return kDone;
}

}  // namespace ghmesh::cli
