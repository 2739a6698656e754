// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "github/calibration.hpp"
#include "github/canonical.hpp"
#include "github/etag.hpp"
#include "github/key.hpp"
#include "github/pagination.hpp"
#include "github/resource.hpp"
#include "github/scanner.hpp"
#include "github/shape_cache.hpp"
#include "github/target.hpp"
#include "http/message/fields.hpp"

// The proof (proof.md): one GET's way from bytes that somebody holds to bytes that GitHub vouches for, as a ladder of
// decisions. The caller owns all IO: it asks next() what to send, sends it, hands the answer's head (and body, of a
// 200) to on_answer(), and repeats until the outcome is not Continue. Rungs, from the top:
//
//   own bytes      the token's own entry: computed tag in Proven, else the stored tag GitHub gave this very token
//   other's bytes  of another token of this node or of a peer: computed tag, only in Proven, only for a token
//   the client's   own tag, where nobody here holds anything: a 304 to it is passed on to that client, and proves
//   nothing
//                  else, as what it is about is not here
//   the empty list [] for a list nobody holds (rule 10)
//   plain GET      with a canary while the class learns
//
// A request carries one validator at most, and a failed one costs nothing extra: the 200 that answers it is the answer.
// One Ladder per request; one thread. It borrows what Input points to.

namespace ghmesh::github {

using SharedBody = std::shared_ptr<const Bytes>;

// Bytes of somebody else. Nothing about them but the bytes is believed, so there is nothing else here.
struct Candidate {
  enum class From : std::uint8_t { Node, Peer };
  SharedBody body;
  From from = From::Node;
};

// Where candidates come from: this node's entries of other tokens, and peers. key is KeyMaker::candidate_key.
class CandidateSource {
 public:
  virtual ~CandidateSource() = default;
  // Calls done exactly once, at once or later on the caller's loop, with at most max bodies, the best first. An empty
  // vector is an answer. How long to wait is the source's business (its budget is 50 ms).
  virtual void find(const Key& key, const Resource& resource, std::size_t max,
                    std::function<void(std::vector<Candidate>)> done) = 0;
};

// Rules 4 and 6, and the bound of what is hashed: JSON, not empty, one value.
bool is_usable_candidate(ByteView body);

// Whether a request takes part at all (rule 4, precondition d of reliability-security.md §2.1).
struct ProofGate {
  bool enabled = true;         // --proof
  bool trusted_origin = true;  // TLS to the configured origin, or a loopback test origin
};
bool takes_part(const ProofGate& gate, std::string_view method, const Resource& resource, const Canonical& request);

struct OwnEntry {
  SharedBody body;
  std::string etag;  // as GitHub sent it with these bytes to this token; may be empty
};

enum class Validator : std::uint8_t { None, Computed, Stored, Clients, Empty, Canary };

// What to send next: GET target with upstream_fields() and these.
struct Step {
  Validator validator = Validator::None;
  std::string if_none_match;  // field value; empty for no precondition
  std::string target;         // differs from the client's in a probe of the next page
  bool probe = false;
};

// The head of what came back.
struct OriginAnswer {
  int status = 0;
  http::FieldsView fields;
  ByteView body;              // identity bytes, of a 200; else empty
  bool rate_limited = false;  // quota.hpp's judgement of a 403 or 429
};

enum class Serve : std::uint8_t {
  Continue,   // call next() again
  Own,        // the own entry's bytes, proved
  Candidate,  // the candidate's bytes, proved: they become the token's own entry
  Empty,      // "[]", proved
  Answer,     // what the origin just sent to the client's own target (200 or anything else)
  Clients,    // the 304 to the client's own tag, as it came: nothing else is known of it
  Failed,     // the origin contradicts itself twice: 502
};

struct Outcome {
  Serve serve = Serve::Continue;
  bool drop_own = false;     // rule 11: this token lost its right to the entry
  std::string link;          // of a proved page: the Link to send; empty for none
  bool charged = false;      // this answer lowered a quota, as far as one can tell
  bool store_probe = false;  // the probe's 200 is the next page: keep it as the token's own entry of Step::target
};

class Ladder {
 public:
  struct Input {
    Calibration* calibration = nullptr;
    const crypto::Sha256* prefix = nullptr;  // etag_prefix of the canonical request
    std::string host;                        // of the origin, with port
    std::string url_prefix;                  // "https://api.github.com", for rebuilt Links
    Target target;
    const Resource* resource = nullptr;
    const Canonical* request = nullptr;
    std::string_view method = "GET";
    ProofGate gate;
    ShapeCache* shapes = nullptr;  // null: bodies are read anew
    std::optional<OwnEntry> own;
    std::string clients_tag;  // the one tag of the client's If-None-Match; empty: none, or several
    // Set once the source has answered; ask wants_candidates() before asking it.
    std::vector<Candidate> candidates;
  };

  explicit Ladder(Input input);

  // Whether a body of someone else could be used now; if not, spare the source the question.
  bool wants_candidates(TimePoint now) const;
  void set_candidates(std::vector<Candidate> candidates);
  // Whether a body that another token's request is about to bring could spare this one its charge: now, or once the
  // class has been learnt.
  bool could_share(TimePoint now) const;

  // After a Continue that leads to a probe: the target of the page to be probed, else nothing. If somebody holds bytes
  // for it, give them: their tag asks whether that page is still the same, for nothing, where the tag of [] would only
  // find that there is one, and fetch it again.
  std::optional<std::string> probe_target() const;
  void set_next_page(SharedBody body);

  Step next(TimePoint now);
  Outcome on_answer(const OriginAnswer& answer, TimePoint now);

  // The body that serve names; null for Answer.
  SharedBody body() const { return proved_; }
  // Its shape, for whoever keeps a copy of it (ShapeCache::put). With a body only.
  const std::optional<JsonShape>& shape() const { return shape_; }
  std::optional<Candidate::From> proved_from() const { return proved_from_; }
  // Tag of the body served, for the client's ETag; empty if unknown.
  const std::string& tag() const { return tag_; }

 private:
  enum class Stage : std::uint8_t { First, Plain, Probe, Done };

  bool proven(TimePoint now) const;
  bool wants_candidates_if_proven() const;
  std::optional<JsonShape> shape_of(const SharedBody& body) const;
  Step send(Validator validator, std::string hex_or_field);
  Step first_step(TimePoint now);
  Step probe_step(TimePoint now);
  bool is_proof(const OriginAnswer& answer) const;
  Outcome on_not_modified(const OriginAnswer& answer, TimePoint now);
  Outcome on_proved(const OriginAnswer& answer);
  Outcome on_ordinary(const OriginAnswer& answer, TimePoint now);
  Outcome on_probe(const OriginAnswer& answer, TimePoint now);
  Outcome finish(std::string link);
  Outcome retry_plain();
  void self_check(const OriginAnswer& answer, TimePoint now);

  Input in_;
  Stage stage_ = Stage::First;
  Step sent_;
  Serve proved_as_ = Serve::Continue;
  SharedBody proved_;
  std::optional<JsonShape> shape_;  // of proved_, once looked at
  SharedBody next_page_;
  std::optional<Candidate::From> proved_from_;
  std::string tag_;
};

// The head of an answer made from proved bytes (rule 8): the live 304's fields about token, request and time; the
// content type given (a proof across tokens is always JSON; an own entry keeps its own); the given Link; the tag.
// Nothing else is taken from what was stored. No Content-Length: that belongs to whoever sends the body.
http::Fields proved_fields(http::FieldsView live_304, const Canonical& request, std::string_view tag,
                           std::string_view link, std::string_view content_type = kJsonContentType);

}  // namespace ghmesh::github
