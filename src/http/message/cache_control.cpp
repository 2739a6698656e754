// SPDX-License-Identifier: Apache-2.0
#include "http/message/cache_control.hpp"

#include <algorithm>

#include "http/message/structured.hpp"

namespace ghmesh::http {
namespace {

struct Directive {
  std::string_view name;
  std::string_view argument;  // without quotes
  bool has_argument = false;
  bool quoted = false;
  bool valid = true;  // false: spaces around '=', or a broken quoted string
};

bool is_quoted_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  bool escaped = false;
  for (const char c : text.substr(1, text.size() - 2)) {
    if (!escaped && c == '"') return false;
    escaped = !escaped && c == '\\';
  }
  return !escaped;
}

Directive split_directive(std::string_view member) {
  Directive directive;
  const std::size_t equals = member.find('=');
  directive.name = trim(member.substr(0, equals));
  if (equals == std::string_view::npos) return directive;
  const std::string_view raw = member.substr(equals + 1);
  directive.has_argument = true;
  directive.argument = trim(raw);
  directive.valid = directive.name.size() == equals && directive.argument.size() == raw.size();
  if (!directive.argument.starts_with('"')) return directive;
  directive.quoted = true;
  directive.valid = directive.valid && is_quoted_string(directive.argument);
  if (directive.valid) directive.argument = directive.argument.substr(1, directive.argument.size() - 2);
  return directive;
}

template <typename Visit>
void for_each_directive(FieldsView fields, Visit visit) {
  for (const Field& field : fields) {
    if (!iequals(field.name, "Cache-Control")) continue;
    for_each_member(field.value, [&](std::string_view member) { visit(split_directive(member)); });
  }
}

std::optional<Seconds> argument_seconds(const Directive& directive) {
  if (!directive.valid || !directive.has_argument) return std::nullopt;
  return parse_delta_seconds(directive.argument);
}

// A lifetime that cannot be read, or that contradicts an earlier one, leaves the response stale.
void add_lifetime(std::optional<Seconds>& lifetime, const Directive& directive) {
  const Seconds value = argument_seconds(directive).value_or(Seconds(0));
  if (lifetime && *lifetime != value)
    lifetime = Seconds(0);
  else
    lifetime = value;
}

// The smaller of two bounds holds; an unreadable one permits nothing.
void add_smallest(std::optional<Seconds>& bound, const Directive& directive) {
  const Seconds value = argument_seconds(directive).value_or(Seconds(0));
  bound = bound ? std::min(*bound, value) : value;
}

// no-cache and private name fields in their qualified form; a form that names none is the unqualified one.
void add_fields(bool& whole, std::vector<std::string>& names, const Directive& directive) {
  if (!directive.has_argument || !directive.valid) {
    whole = true;
    return;
  }
  const std::size_t before = names.size();
  bool all_tokens = true;
  for_each_member(directive.argument, [&](std::string_view name) {
    all_tokens = all_tokens && is_token(name);
    names.push_back(to_lower(name));
  });
  if (!all_tokens || names.size() == before) whole = true;
}

void apply(ResponseCacheControl& out, const Directive& directive) {
  const auto is = [&](std::string_view name) { return iequals(directive.name, name); };
  if (is("max-age")) return add_lifetime(out.max_age, directive);
  if (is("s-maxage")) return add_lifetime(out.s_maxage, directive);
  if (is("stale-while-revalidate")) return add_smallest(out.stale_while_revalidate, directive);
  if (is("stale-if-error")) return add_smallest(out.stale_if_error, directive);
  if (is("no-cache")) return add_fields(out.no_cache, out.no_cache_fields, directive);
  if (is("private")) return add_fields(out.is_private, out.private_fields, directive);
  if (is("no-store")) out.no_store = true;
  if (is("public")) out.is_public = true;
  if (is("must-revalidate")) out.must_revalidate = true;
  if (is("proxy-revalidate")) out.proxy_revalidate = true;
  if (is("must-understand")) out.must_understand = true;
  if (is("no-transform")) out.no_transform = true;
  if (is("immutable")) out.immutable = true;
}

void apply(RequestCacheControl& out, const Directive& directive) {
  const auto is = [&](std::string_view name) { return iequals(directive.name, name); };
  if (is("no-cache")) out.no_cache = true;
  if (is("no-store")) out.no_store = true;
  if (is("only-if-cached")) out.only_if_cached = true;
  if (is("no-transform")) out.no_transform = true;
  if (is("max-age")) add_smallest(out.max_age, directive);
  if (is("stale-if-error")) add_smallest(out.stale_if_error, directive);
  if (is("min-fresh")) {
    // The larger demand holds; an unreadable one asks for more than any response has.
    const Seconds value = argument_seconds(directive).value_or(kMaxDeltaSeconds);
    out.min_fresh = std::max(out.min_fresh.value_or(Seconds(0)), value);
  }
  if (is("max-stale")) {
    if (directive.has_argument)
      add_smallest(out.max_stale, directive);
    else
      out.max_stale_any = true;
  }
}

}  // namespace

std::optional<Seconds> parse_delta_seconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min<std::int64_t>(value * 10 + (c - '0'), kMaxDeltaSeconds.count());
  }
  return Seconds(value);
}

ResponseCacheControl parse_response_cache_control(FieldsView fields) {
  ResponseCacheControl out;
  for_each_directive(fields, [&](const Directive& directive) { apply(out, directive); });
  return out;
}

RequestCacheControl parse_request_cache_control(FieldsView fields) {
  RequestCacheControl out;
  out.present = fields.has("Cache-Control");
  if (out.present) for_each_directive(fields, [&](const Directive& directive) { apply(out, directive); });
  if (!out.present) out.no_cache = fields.has_token("Pragma", "no-cache");
  return out;
}

std::optional<ResponseCacheControl> parse_targeted_cache_control(FieldsView fields, std::string_view field_name) {
  if (!fields.has(field_name)) return std::nullopt;
  const auto members = parse_structured_dictionary(fields.joined(field_name));
  if (!members || members->empty()) return std::nullopt;
  ResponseCacheControl out;
  for (const StructuredMember& member : *members) {
    const bool flag = member.type == StructuredType::Boolean && member.integer == 1;
    const auto seconds = [&](std::optional<Seconds>& into) {
      if (member.type != StructuredType::Integer || member.integer < 0) return false;
      into = Seconds(std::min<std::int64_t>(member.integer, kMaxDeltaSeconds.count()));
      return true;
    };
    // A directive of the wrong type spoils the field: what its sender meant to allow cannot be known.
    bool understood = true;
    if (member.key == "max-age") understood = seconds(out.max_age);
    if (member.key == "s-maxage") understood = seconds(out.s_maxage);
    if (member.key == "stale-while-revalidate") understood = seconds(out.stale_while_revalidate);
    if (member.key == "stale-if-error") understood = seconds(out.stale_if_error);
    // private and no-cache have qualified forms; they are taken whole.
    if (member.key == "no-cache") out.no_cache = flag || member.type != StructuredType::Boolean;
    if (member.key == "private") out.is_private = flag || member.type != StructuredType::Boolean;
    if (member.key == "no-store") out.no_store = flag;
    if (member.key == "public") out.is_public = flag;
    if (member.key == "must-revalidate") out.must_revalidate = flag;
    if (member.key == "proxy-revalidate") out.proxy_revalidate = flag;
    if (member.key == "must-understand") out.must_understand = flag;
    if (member.key == "no-transform") out.no_transform = flag;
    if (member.key == "immutable") out.immutable = flag;
    if (!understood) return std::nullopt;
  }
  return out;
}

}  // namespace ghmesh::http
