// SPDX-License-Identifier: Apache-2.0
#include "github/proof.hpp"

#include <algorithm>

#include "github/scanner.hpp"

namespace ghmesh::github {
namespace {

const SharedBody& empty_list() {
  static const SharedBody body = std::make_shared<const Bytes>(to_bytes(kEmptyList));
  return body;
}

// Statuses that say: this token has no right to that (any more), or it is gone.
bool takes_right_away(int status) {
  return status == 401 || status == 403 || status == 404 || status == 410 || status == 451;
}

// Age above zero, or a Via, means that a cache in between may have answered (rule 5, attack A21).
bool came_from_a_cache(http::FieldsView fields) {
  if (fields.has("via")) return true;
  const auto age = fields.first("age");
  return age && *age != "0";
}

}  // namespace

bool is_usable_candidate(ByteView body) { return !body.empty() && is_single_json_value(body); }

bool takes_part(const ProofGate& gate, std::string_view method, const Resource& resource, const Canonical& request) {
  if (!gate.enabled || !gate.trusted_origin || !request.cacheable()) return false;
  // HEAD has no body to hash: treating it as an empty one once made a library serve empty 200s.
  if (method != "GET" || !accepts_plain_json(request.accept)) return false;
  return resource.cls == ResourceClass::Immutable || resource.cls == ResourceClass::Volatile ||
         resource.cls == ResourceClass::Default || resource.cls == ResourceClass::PerUser;
}

Ladder::Ladder(Input input) : in_(std::move(input)) {
  sent_.target = std::string(in_.target.path);
  if (in_.target.has_query) sent_.target += "?" + std::string(in_.target.query);
}

bool Ladder::proven(TimePoint now) const {
  return takes_part(in_.gate, in_.method, *in_.resource, *in_.request) &&
         in_.calibration->phase(in_.host, *in_.resource, in_.request->accept, now) == ProofPhase::Proven;
}

std::optional<JsonShape> Ladder::shape_of(const SharedBody& body) const {
  return in_.shapes != nullptr ? in_.shapes->of(body) : json_shape(*body);
}

bool Ladder::wants_candidates(TimePoint now) const {
  // An anonymous 304 is charged, and its answer is public anyway: it is shared by time, not by proof.
  return wants_candidates_if_proven() && proven(now);
}

bool Ladder::wants_candidates_if_proven() const {
  return stage_ == Stage::First && !in_.own && !in_.request->anonymous && may_prove_across_tokens(*in_.resource);
}

bool Ladder::could_share(TimePoint now) const {
  return stage_ == Stage::First && !in_.own && !in_.request->anonymous && may_prove_across_tokens(*in_.resource) &&
         takes_part(in_.gate, in_.method, *in_.resource, *in_.request) &&
         in_.calibration->phase(in_.host, *in_.resource, in_.request->accept, now) != ProofPhase::Tripped;
}

void Ladder::set_candidates(std::vector<Candidate> candidates) { in_.candidates = std::move(candidates); }

Step Ladder::send(Validator validator, std::string if_none_match) {
  sent_.validator = validator;
  sent_.if_none_match = std::move(if_none_match);
  return sent_;
}

Step Ladder::next(TimePoint now) {
  if (stage_ == Stage::First) return first_step(now);
  if (stage_ == Stage::Probe) return probe_step(now);
  return send(Validator::None, {});
}

Step Ladder::first_step(TimePoint now) {
  const bool usable = proven(now);
  if (in_.own && in_.own->body) {
    proved_ = in_.own->body;
    proved_as_ = Serve::Own;
    if (usable && (shape_ = shape_of(proved_))) {
      tag_ = etag_of(*in_.prefix, *proved_);
      return send(Validator::Computed, quoted_etag(tag_));
    }
    // What GitHub gave this token with these bytes is an ordinary validator (RFC 9110 §13.1.2), formula or not.
    if (!in_.own->etag.empty()) return send(Validator::Stored, in_.own->etag);
  }
  if (usable && wants_candidates_if_proven()) {
    for (const Candidate& candidate : in_.candidates) {
      if (!candidate.body || !(shape_ = shape_of(candidate.body))) continue;
      if (candidate.from == Candidate::From::Peer && in_.calibration->canary_before_peer_proof())
        return send(Validator::Canary, quoted_etag(in_.calibration->make_canary()));
      proved_ = candidate.body;
      proved_as_ = Serve::Candidate;
      proved_from_ = candidate.from;
      tag_ = etag_of(*in_.prefix, *proved_);
      return send(Validator::Computed, quoted_etag(tag_));
    }
  }
  // Charged without it where the client itself, at GitHub's door, would not be (an anonymous 304 is charged anyway).
  if (!in_.clients_tag.empty() && !in_.own && !in_.request->anonymous) return send(Validator::Clients, in_.clients_tag);
  if (usable && wants_candidates_if_proven() && may_guess_empty(*in_.resource, in_.request->accept)) {
    proved_ = empty_list();
    shape_ = JsonShape{0};
    proved_as_ = Serve::Empty;
    tag_ = etag_of(*in_.prefix, *proved_);
    return send(Validator::Empty, quoted_etag(tag_));
  }
  const bool may_carry = takes_part(in_.gate, in_.method, *in_.resource, *in_.request) && !in_.request->anonymous;
  if (may_carry && in_.calibration->canary_on_plain(in_.host, *in_.resource, in_.request->accept, now))
    return send(Validator::Canary, quoted_etag(in_.calibration->make_canary()));
  return send(Validator::None, {});
}

std::optional<std::string> Ladder::probe_target() const {
  if (stage_ != Stage::Probe) return std::nullopt;
  return next_page_target(*in_.resource, in_.target);
}

void Ladder::set_next_page(SharedBody body) {
  next_page_ = body && is_usable_candidate(*body) && array_length(*body).value_or(0) > 0 ? std::move(body) : nullptr;
}

Step Ladder::probe_step(TimePoint now) {
  Step step;
  step.probe = true;
  step.target = *next_page_target(*in_.resource, in_.target);
  // Without the formula the page itself is fetched: its body says what a 304 would have said.
  if (proven(now) && !in_.request->anonymous) {
    step.validator = next_page_ ? Validator::Computed : Validator::Empty;
    step.if_none_match = quoted_etag(etag_of(*in_.prefix, next_page_ ? ByteView(*next_page_) : as_bytes(kEmptyList)));
  }
  sent_ = step;
  return sent_;
}

bool Ladder::is_proof(const OriginAnswer& answer) const {
  if (answer.status != 304 || sent_.if_none_match.empty() || came_from_a_cache(answer.fields)) return false;
  // RFC 9110 §15.4.5: a 304 carries the tag that its 200 would. One that has none may be the word of something that
  // says 304 to anything, and would be believed until the next canary.
  const auto etag = answer.fields.first("etag");
  if (!etag) return false;
  const auto strip = [](std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  return strip(*etag) == strip(sent_.if_none_match);
}

Outcome Ladder::on_answer(const OriginAnswer& answer, TimePoint now) {
  GHMESH_CHECK(stage_ != Stage::Done);
  if (sent_.probe) return on_probe(answer, now);
  if (answer.status == 304) return on_not_modified(answer, now);
  return on_ordinary(answer, now);
}

Outcome Ladder::retry_plain() {
  if (stage_ == Stage::Plain) {
    stage_ = Stage::Done;
    Outcome out;
    out.serve = Serve::Failed;
    return out;
  }
  stage_ = Stage::Plain;
  sent_.probe = false;
  sent_.target = std::string(in_.target.path);
  if (in_.target.has_query) sent_.target += "?" + std::string(in_.target.query);
  proved_.reset();
  shape_.reset();
  proved_from_.reset();
  tag_.clear();
  return {};
}

Outcome Ladder::on_not_modified(const OriginAnswer& answer, TimePoint now) {
  if (sent_.validator == Validator::Canary) {
    in_.calibration->on_canary(in_.host, *in_.resource, in_.request->accept, true, now);
    return retry_plain();
  }
  if (sent_.validator == Validator::Clients) {
    stage_ = Stage::Done;
    Outcome out;
    out.serve = Serve::Clients;
    return out;
  }
  if (!is_proof(answer)) {
    // A 304 to another tag than ours: the formula is not what answered.
    if (sent_.validator == Validator::Computed || sent_.validator == Validator::Empty)
      in_.calibration->on_self_check(in_.host, *in_.resource, in_.request->accept, false, now);
    return retry_plain();
  }
  return on_proved(answer);
}

Outcome Ladder::on_proved(const OriginAnswer& answer) {
  const auto link = answer.fields.first("link");
  // A stored tag vouches for bytes that nobody has looked at yet.
  if (!shape_) shape_ = shape_of(proved_).value_or(JsonShape{});
  if (need_next_page_probe(*in_.resource, in_.target.query, shape_->array_length, link.has_value())) {
    // A list that goes by cursors cannot be probed: only fetching it tells.
    if (!next_page_target(*in_.resource, in_.target)) return retry_plain();
    stage_ = Stage::Probe;
    return {};
  }
  if (link) return finish(std::string(*link));
  // A list's page that is not full is the last one.
  const bool paged = shape_->array_length.has_value();
  const PageOf page = page_of(*in_.resource, in_.target.query);
  return finish(paged && !page.by_cursor ? rebuild_links(in_.url_prefix, in_.target, page.page, NextPage::None) : "");
}

Outcome Ladder::finish(std::string link) {
  stage_ = Stage::Done;
  Outcome out;
  out.serve = proved_as_;
  out.link = std::move(link);
  out.charged = in_.request->anonymous;
  return out;
}

Outcome Ladder::on_probe(const OriginAnswer& answer, TimePoint now) {
  const std::size_t page = page_of(*in_.resource, in_.target.query).page;
  if (is_proof(answer)) {
    const NextPage next = sent_.validator == Validator::Computed ? NextPage::Exists : NextPage::None;
    return finish(rebuild_links(in_.url_prefix, in_.target, page, next));
  }
  if (answer.status == 200) {
    self_check(answer, now);
    const auto length = array_length(answer.body);
    if (length) {
      // A path that ignores page answers with the same members again.
      const bool more = *length > 0 && !equal(answer.body, *proved_);
      const NextPage next = more ? NextPage::Exists : NextPage::None;
      Outcome out = finish(rebuild_links(in_.url_prefix, in_.target, page, next));
      out.charged = true;
      out.store_probe = more;
      return out;
    }
  }
  // No page, no proof that there is none: the client gets the page itself, fetched.
  return retry_plain();
}

void Ladder::self_check(const OriginAnswer& answer, TimePoint now) {
  if (!takes_part(in_.gate, in_.method, *in_.resource, *in_.request) || answer.status != 200 || answer.body.empty())
    return;
  const auto etag = answer.fields.first("etag");
  const auto type = answer.fields.first("content-type");
  if (!etag || !type || !is_json_media_type(*type)) return;
  // Answered by a cache in between, it may be one made for another credential.
  if (came_from_a_cache(answer.fields)) return;
  const std::string hex = etag_of(*in_.prefix, answer.body);
  const bool match = etag_equals(*etag, hex);
  if (match && !sent_.probe) tag_ = hex;
  in_.calibration->on_self_check(in_.host, *in_.resource, in_.request->accept, match, now);
}

Outcome Ladder::on_ordinary(const OriginAnswer& answer, TimePoint now) {
  if (sent_.validator == Validator::Canary && answer.status == 200)
    in_.calibration->on_canary(in_.host, *in_.resource, in_.request->accept, false, now);
  stage_ = Stage::Done;
  proved_.reset();
  proved_from_.reset();
  tag_.clear();
  self_check(answer, now);
  Outcome out;
  out.serve = Serve::Answer;
  out.drop_own = takes_right_away(answer.status) && !answer.rate_limited;
  out.charged = !answer.rate_limited && answer.status != 429;
  return out;
}

http::Fields proved_fields(http::FieldsView live, const Canonical& request, std::string_view tag, std::string_view link,
                           std::string_view content_type) {
  // A 304's own framing and validators, cookies, and what this node says itself.
  static constexpr std::string_view kNot[] = {
      "content-length", "content-type", "content-encoding", "etag",    "link",        "transfer-encoding", "connection",
      "set-cookie",     "age",          "keep-alive",       "trailer", "cache-status"};
  http::Fields out;
  out.reserve(live.size() + 4);
  out.add("content-type", content_type);
  for (const http::Field& field : live) {
    const bool left_out = std::any_of(std::begin(kNot), std::end(kNot),
                                      [&](std::string_view name) { return http::iequals(field.name, name); });
    if (!left_out) out.add(field.name, field.value);
  }
  if (!live.has("x-github-media-type") && is_json_media_type(content_type))
    out.add("x-github-media-type", github_media_type(request.accept));
  if (!tag.empty()) {
    out.add("etag", quoted_etag(tag));
  } else if (const auto etag = live.first("etag")) {
    out.add("etag", *etag);
  }
  if (!link.empty()) out.add("link", link);
  return out;
}

}  // namespace ghmesh::github
