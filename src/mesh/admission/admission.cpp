// SPDX-License-Identifier: Apache-2.0
#include "admission.hpp"

#include "base/check.hpp"
#include "crypto/hmac.hpp"

namespace ghmesh::mesh {
namespace {

void append_sized(Bytes& out, ByteView part) {
  out.push_back(static_cast<std::uint8_t>(part.size()));
  append(out, part);
}

std::unexpected<Error> not_a_member() {
  return fail(ErrorCode::Refused, "the peer does not hold the mesh secret", Fault::Peer);
}

}  // namespace

Admission::Admission(const Keyring& keys, ConnectionIdentity connection, Random& random)
    : keys_(keys), connection_(std::move(connection)), hello_(kHelloBytes) {
  GHMESH_CHECK(connection_.handshake_hash.size() <= 64);
  hello_[0] = kAdmissionVersion;
  random.fill(MutableByteView(hello_).subspan(1));
  random.fill(spare_proof_);
}

std::size_t Admission::expects() const {
  if (step_ == Step::Hello) return kHelloBytes;
  if (step_ != Step::Proof) return 0;
  return connection_.role == Role::Listener ? kDialerProofBytes : kListenerProofBytes;
}

Result<Bytes> Admission::receive(ByteView message) {
  GHMESH_CHECK(expects() != 0);
  const Step step = std::exchange(step_, Step::Failed);
  if (message.size() != (step == Step::Hello                  ? kHelloBytes
                         : connection_.role == Role::Listener ? kDialerProofBytes
                                                              : kListenerProofBytes))
    return fail(ErrorCode::Malformed, "an admission message of the wrong size", Fault::Peer);
  if (step == Step::Hello) return on_hello(message);
  return connection_.role == Role::Listener ? on_dialer_proof(message) : on_listener_proof(message);
}

Result<Bytes> Admission::on_hello(ByteView message) {
  if (message[0] != kAdmissionVersion)
    return fail(ErrorCode::Unsupported, "the peer speaks another version of admission", Fault::Peer);
  // Our own nonce coming back is a mirror.
  if (equal(message, hello_)) return not_a_member();
  const bool dialer = connection_.role == Role::Dialer;
  const ByteView mine(hello_);
  transcript_ = to_bytes("ghmesh admission");
  append(transcript_, dialer ? mine : message);
  append(transcript_, dialer ? message : mine);
  append_sized(transcript_, (dialer ? connection_.self : connection_.remote).bytes());
  append_sized(transcript_, (dialer ? connection_.remote : connection_.self).bytes());
  append_sized(transcript_, connection_.handshake_hash);
  step_ = Step::Proof;
  if (!dialer) return Bytes();
  Bytes proofs;
  append(proofs, proof(keys_.current, Role::Dialer));
  append(proofs, keys_.also_accept ? proof(*keys_.also_accept, Role::Dialer) : spare_proof_);
  return proofs;
}

Result<Bytes> Admission::on_dialer_proof(ByteView message) {
  // All four comparisons are made whatever they give, so that time says nothing about slots.
  const MeshKeys* matched = nullptr;
  for (const MeshKeys* mine : {keys_.also_accept ? &*keys_.also_accept : &keys_.current, &keys_.current}) {
    const auto wanted = proof(*mine, Role::Dialer);
    const bool first = crypto::constant_time_equal(wanted, message.first(32));
    const bool second = crypto::constant_time_equal(wanted, message.subspan(32));
    if (first || second) matched = mine;
  }
  if (matched == nullptr) return not_a_member();
  matched_ = matched;
  step_ = Step::Done;
  const auto answer = proof(*matched, Role::Listener);
  return Bytes(answer.begin(), answer.end());
}

Result<Bytes> Admission::on_listener_proof(ByteView message) {
  for (const MeshKeys* mine : {keys_.also_accept ? &*keys_.also_accept : &keys_.current, &keys_.current})
    if (crypto::constant_time_equal(proof(*mine, Role::Listener), message)) matched_ = mine;
  if (matched_ == nullptr) return not_a_member();
  step_ = Step::Done;
  return Bytes();
}

std::array<std::uint8_t, 32> Admission::proof(const MeshKeys& keys, Role prover) const {
  const std::uint8_t role[] = {static_cast<std::uint8_t>(prover)};
  return crypto::HmacSha256(keys.membership.expose()).mac({transcript_, role});
}

EnvelopePair Admission::take_envelopes() {
  GHMESH_CHECK(admitted() && matched_ != nullptr && !transcript_.empty());
  EnvelopePair pair =
      make_envelopes(matched_->envelope, transcript_, connection_.self.bytes(), connection_.remote.bytes());
  transcript_.clear();
  return pair;
}

}  // namespace ghmesh::mesh
