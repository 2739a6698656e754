// SPDX-License-Identifier: Apache-2.0
#include "secret.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>

#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"
#include "limits.hpp"

namespace ghmesh::mesh {
namespace {

constexpr std::string_view kFix = "; `ghmesh secret new` makes a good one (64 hex digits)";

crypto::SecretKey32 key_for(ByteView root, std::string_view purpose) {
  crypto::SecretKey32 key;
  const std::string info = "ghmesh 1 " + std::string(purpose);
  crypto::hkdf_expand(root, as_bytes(info), key.expose_mutable());
  return key;
}

enum CharClass { kLower, kUpper, kDigit, kOther };

CharClass class_of(char c) {
  if (c >= 'a' && c <= 'z') return kLower;
  if (c >= 'A' && c <= 'Z') return kUpper;
  if (c >= '0' && c <= '9') return kDigit;
  return kOther;
}

// The length of the shortest block whose repetition gives text.
std::size_t period(std::string_view text) {
  std::vector<std::size_t> border(text.size() + 1, 0);
  for (std::size_t i = 1, k = 0; i < text.size(); ++i) {
    while (k > 0 && text[i] != text[k]) k = border[k];
    if (text[i] == text[k]) ++k;
    border[i + 1] = k;
  }
  return text.empty() ? 0 : text.size() - border[text.size()];
}

// Random base64 changes between its kinds of characters at two places of three; words do it at one of six or fewer,
// even in CamelCase with a year behind it.
bool looks_like_words(std::string_view text) {
  std::size_t changes = 0;
  for (std::size_t i = 1; i < text.size(); ++i) changes += class_of(text[i]) != class_of(text[i - 1]) ? 1 : 0;
  return changes * 3 < text.size() - 1;
}

Result<crypto::SecretText> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail_errno(errno, "opening the secret file " + path);
  crypto::SecretText text(std::string(AdmissionLimits::kSecretFileBytes + 1, '\0'));
  std::string& buffer = text.expose_mutable();
  std::size_t size = 0;
  ssize_t n = 0;
  while (size < buffer.size() && (n = ::read(fd, buffer.data() + size, buffer.size() - size)) > 0)
    size += static_cast<std::size_t>(n);
  const int error = errno;
  ::close(fd);
  if (n < 0) return fail_errno(error, "reading the secret file " + path);
  if (size > AdmissionLimits::kSecretFileBytes)
    return fail(ErrorCode::Limit, "the secret file " + path + " has more than 1024 bytes: not a secret");
  buffer.resize(size);
  return text;
}

bool is_separator(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ','; }

// Up to two secrets in one place.
Result<SecretFound> parse_slots(std::string_view text, SecretSource source) {
  std::vector<MeshKeys> slots;
  for (std::size_t i = 0; i < text.size();) {
    if (is_separator(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && !is_separator(text[end])) ++end;
    if (slots.size() == 2)
      return fail(ErrorCode::Malformed,
                  std::string(to_string(source)) + " holds more than two words" + std::string(kFix));
    const auto secret = parse_secret(text.substr(i, end - i));
    if (!secret) return std::unexpected(Error(secret.error()).with_context(to_string(source)));
    slots.push_back(MeshKeys::derive(secret->expose()));
    i = end;
  }
  if (slots.empty())
    return fail(ErrorCode::Malformed, std::string(to_string(source)) + " is empty" + std::string(kFix));
  SecretFound found{.keys = {.current = std::move(slots[0]), .also_accept = std::nullopt}, .source = source};
  if (slots.size() == 2) found.keys.also_accept = std::move(slots[1]);
  return found;
}

Result<std::variant<SecretFound, NoMesh>> from_token(std::string_view token, std::string_view name) {
  if (token.starts_with("ghs_"))
    return NoMesh{
        std::string(name) +
        " is a token of one job only (ghs_…), so a mesh made from it would have one member: running as a local "
        "cache. Set GHMESH_SECRET to the same secret for all runners to share (`ghmesh secret new`)."};
  if (token.size() > AdmissionLimits::kTokenBytes || estimate_bits(token) < AdmissionLimits::kSecretMinBits)
    return fail(ErrorCode::Refused, std::string(name) +
                                        " is too short or too regular to make a mesh from: set GHMESH_SECRET instead" +
                                        std::string(kFix));
  // A tag of its own: the same text as GHMESH_SECRET and as a token are two meshes.
  const crypto::SecretBytes secret = crypto::hkdf(as_bytes("ghmesh mesh of a token"), as_bytes(token), {}, 32);
  return SecretFound{.keys = {.current = MeshKeys::derive(secret.expose()), .also_accept = std::nullopt},
                     .source = SecretSource::Token};
}

}  // namespace

MeshKeys MeshKeys::derive(ByteView secret) {
  const crypto::SecretKey32 root = crypto::hkdf_extract(as_bytes("ghmesh mesh secret 1"), secret);
  MeshKeys keys;
  keys.lookup = key_for(root.expose(), "lookup");
  keys.membership = key_for(root.expose(), "membership");
  keys.envelope = key_for(root.expose(), "envelope");
  keys.at_rest = key_for(root.expose(), "at-rest");
  keys.registry = key_for(root.expose(), "registry");
  const crypto::SecretKey32 name = key_for(root.expose(), "mesh id");
  const crypto::Digest32 digest = crypto::sha256({as_bytes("ghmesh mesh id"), name.expose()});
  std::copy_n(digest.begin(), keys.id.size(), keys.id.begin());
  return keys;
}

MeshKeys MeshKeys::clone() const {
  MeshKeys copy;
  copy.lookup = lookup.clone();
  copy.membership = membership.clone();
  copy.envelope = envelope.clone();
  copy.at_rest = at_rest.clone();
  copy.registry = registry.clone();
  copy.id = id;
  return copy;
}

std::string_view to_string(SecretSource source) {
  switch (source) {
    case SecretSource::File: return "--secret-file";
    case SecretSource::Ghmesh: return "GHMESH_SECRET";
    case SecretSource::CacheP2p: return "CACHE_P2P_SHARED_SECRET";
    case SecretSource::Token: return "the GitHub token";
  }
  return "";
}

double estimate_bits(std::string_view text) {
  const std::string_view once = text.substr(0, period(text));
  std::array<std::size_t, 256> counts{};
  for (const char c : once) ++counts[static_cast<std::uint8_t>(c)];
  double bits_per_char = 0;
  for (const std::size_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(once.size());
    bits_per_char -= share * std::log2(share);
  }
  return bits_per_char * static_cast<double>(once.size());
}

Result<crypto::SecretBytes> parse_secret(std::string_view text) {
  const auto refuse = [](std::string why) { return fail(ErrorCode::Refused, std::move(why) + std::string(kFix)); };
  if (text.size() > AdmissionLimits::kSecretTextBytes)
    return fail(ErrorCode::Limit, "the mesh secret is longer than 256 characters" + std::string(kFix));
  std::optional<Bytes> bytes = from_hex(text);
  const bool hex = bytes.has_value();
  if (!hex) bytes = from_base64(text);
  if (!bytes)
    return refuse("the mesh secret is neither hex nor base64, so it looks like a passphrase, which can be guessed");
  crypto::SecretBytes secret(std::move(*bytes));
  if (secret.expose().size() < AdmissionLimits::kSecretMinBytes)
    return refuse("the mesh secret has fewer than 16 bytes, which can be guessed");
  // The empirical entropy of 32 random hex digits is above 100 bits in all but one of many millions.
  if (estimate_bits(text) < AdmissionLimits::kSecretMinBits || (!hex && looks_like_words(text)))
    return refuse("the mesh secret looks like a passphrase or a pattern, which can be guessed");
  return secret;
}

crypto::SecretText make_secret(Random& random) {
  crypto::SecretKey32 raw;
  random.fill(raw.expose_mutable());
  return crypto::SecretText(to_hex(raw.expose()));
}

Result<std::variant<SecretFound, NoMesh>> find_secret(const SecretInputs& inputs) {
  if (!inputs.file.empty()) {
    const auto text = read_file(inputs.file);
    if (!text) return std::unexpected(text.error());
    return parse_slots(text->expose(), SecretSource::File);
  }
  // A variable that is set but empty is how CI systems pass a secret that does not exist: as good as unset.
  const auto look = [&](std::string_view name) -> std::optional<crypto::SecretText> {
    std::optional<std::string> value = inputs.environment ? inputs.environment(name) : std::nullopt;
    if (!value || value->empty()) return std::nullopt;
    return crypto::SecretText(std::move(*value));
  };
  if (const auto text = look("GHMESH_SECRET")) return parse_slots(text->expose(), SecretSource::Ghmesh);
  if (const auto text = look("CACHE_P2P_SHARED_SECRET")) return parse_slots(text->expose(), SecretSource::CacheP2p);
  for (const std::string_view name : {"GH_TOKEN", "GITHUB_TOKEN"})
    if (const auto token = look(name)) return from_token(token->expose(), name);
  return NoMesh{
      "no mesh secret: running as a local cache. Set GHMESH_SECRET to the same secret for all runners to share "
      "(`ghmesh secret new`)."};
}

}  // namespace ghmesh::mesh
