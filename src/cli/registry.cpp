// SPDX-License-Identifier: Apache-2.0
// register and discover: the registry directory by hand, without a node.
#include "mesh/registry/registry.hpp"

#include <charconv>

#include "command.hpp"
#include "identity.hpp"
#include "io/endpoint.hpp"
#include "node/config/config.hpp"

namespace ghmesh::cli {

namespace {

constexpr unsigned kDefaultMax = 10;
constexpr unsigned kMostPeers = 512;

std::optional<unsigned> number(std::string_view text, unsigned min, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) return std::nullopt;
  return value;
}

WallTime wall_now() { return SystemClock().wall_now(); }

// The directory as this machine's node would use it.
struct Directory {
  node::config::Config config;
  mesh::Registry registry;
};

Result<Directory> open_directory(const Arguments& arguments, Context& context) {
  Result<node::config::Loaded> loaded = node::config::load({arguments.settings, context.variables, {}});
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  const node::config::Config& config = loaded->config;
  if (!config.registry) return fail(ErrorCode::NotFound, "no registry directory; give --registry DIR");
  const bool from_file = config.secret.source == node::config::MeshSecret::Source::File;
  const auto secret = mesh::find_secret(
      {.file = from_file ? config.secret.from : std::string(), .environment = [&](std::string_view name) {
         const auto value = context.variables.get(name);
         return value ? std::optional(std::string(*value)) : std::nullopt;
       }});
  if (!secret) return std::unexpected(secret.error());
  const auto* found = std::get_if<mesh::SecretFound>(&*secret);
  if (found == nullptr) return fail(ErrorCode::NotFound, std::get<mesh::NoMesh>(*secret).reason);
  auto registry = mesh::Registry::open(*config.registry, found->keys.current);
  if (!registry) return std::unexpected(std::move(registry.error()));
  return Directory{std::move(loaded->config), std::move(*registry)};
}

Result<multiformats::Multiaddr> address_of(const std::string& host, unsigned port) {
  const auto ip = io::IpAddress::parse(host);
  const std::string protocol = !ip ? "/dns/" : ip->v6 ? "/ip6/" : "/ip4/";
  return multiformats::Multiaddr::parse(protocol + host + "/tcp/" + std::to_string(port));
}

}  // namespace

int register_peer(const Arguments& arguments, Context& context) {
  const auto peer = libp2p::PeerId::parse(arguments.operands[0]);
  if (!peer) return complain(context, kUsage, "register: PEER_ID: " + peer.error().message);
  const auto port = number(arguments.operands[1], 1, 65535);
  if (!port) return complain(context, kUsage, "register: PORT: not a number from 1 to 65535");
  const auto address = address_of(arguments.operands[2], *port);
  if (!address) return complain(context, kUsage, "register: IP: " + address.error().message);

  const Result<Directory> directory = open_directory(arguments, context);
  if (!directory) return complain(context, kFailed, "register: " + directory.error().message);
  if (!directory->config.identity) return complain(context, kFailed, "register: no identity; give --identity FILE");
  const Result<libp2p::PrivateKey> key = read_identity(*directory->config.identity);
  if (!key) return complain(context, kFailed, "register: " + key.error().message);
  const libp2p::PeerId own = libp2p::PeerId::from_key(key->public_key());
  if (own != *peer)
    return complain(context, kFailed,
                    "register: " + *directory->config.identity + " belongs to " + own.text() +
                        "; only a peer signs its own record (another peer's address goes to --bootstrap)");
  const auto published = directory->registry.publish(*key,
                                                     {.peer = own,
                                                      .runner_name = directory->config.runner_name,
                                                      .addresses = {*libp2p::with_peer(*address, own)},
                                                      .last_seen = {},
                                                      .expires = {},
                                                      .metadata = {{"version", GHMESH_VERSION}}},
                                                     wall_now());
  if (!published) return complain(context, kFailed, "register: " + published.error().message);
  context.out << *directory->config.registry << '/' << mesh::Registry::file_name(own) << '\n';
  return kDone;
}

int discover(const Arguments& arguments, Context& context) {
  const auto max =
      arguments.operands.empty() ? std::optional(kDefaultMax) : number(arguments.operands[0], 1, kMostPeers);
  if (!max) return complain(context, kUsage, "discover: MAX: not a number from 1 to 512");
  const Result<Directory> directory = open_directory(arguments, context);
  if (!directory) return complain(context, kFailed, "discover: " + directory.error().message);
  // The node of this machine is no discovery, if it can be told.
  std::optional<libp2p::PeerId> own;
  if (directory->config.identity)
    if (const auto key = read_identity(*directory->config.identity)) own = libp2p::PeerId::from_key(key->public_key());
  Result<mesh::Discovered> found = directory->registry.discover(own, wall_now());
  if (!found) return complain(context, kFailed, "discover: " + found.error().message);
  while (found->records.size() > *max) found->records.pop_back();
  if (arguments.has("json")) {
    std::string_view before = "[";
    for (const mesh::RegistryRecord& record : found->records)
      context.out << std::exchange(before, ",\n ") << mesh::to_json(record);
    context.out << (found->records.empty() ? "[]" : "]") << '\n';
  } else {
    for (const mesh::RegistryRecord& record : found->records)
      if (!record.addresses.empty())
        if (const auto whole = libp2p::with_peer(record.addresses.front(), record.peer))
          context.out << whole->text() << '\n';
  }
  if (found->stale + found->foreign + found->hostile > 0)
    context.err << "ghmesh: discover: passed over in " << *directory->config.registry << ": " << found->stale
                << " stale, " << found->foreign << " of others, " << found->hostile << " broken or forged" << std::endl;
  return kDone;
}

}  // namespace ghmesh::cli
