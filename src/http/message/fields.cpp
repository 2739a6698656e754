// SPDX-License-Identifier: Apache-2.0
#include "http/message/fields.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace ghmesh::http {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Eight characters at once. A byte's top bit comes out of an addition that cannot carry into its neighbour: set in one
// sum from 'A' on, in the other beyond 'Z', so the two differ for capital letters only.
std::uint64_t lower8(const char* at) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::uint64_t text;
  std::memcpy(&text, at, sizeof text);
  const std::uint64_t low = text & (kEach * 0x7f);
  const std::uint64_t capital = (low + kEach * (0x80 - 'A')) ^ (low + kEach * (0x7f - 'Z'));
  return text | ((capital & ~text & (kEach * 0x80)) >> 2);
}

constexpr std::size_t kBlockBytes = 1024;

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  std::size_t i = 0;
  for (; i + 8 <= a.size(); i += 8)
    if (lower8(a.data() + i) != lower8(b.data() + i)) return false;
  for (; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
  });
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::optional<std::string_view> FieldsView::find(std::string_view name) const {
  // Most fields differ in length or in their first letter: looking there first spares the call.
  const auto first_letter = static_cast<char>(name.front() | 0x20);
  for (const Field& field : fields_) {
    if (field.name.size() != name.size() || (field.name.front() | 0x20) != first_letter) continue;
    if (iequals(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t FieldsView::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(), [&](const Field& field) { return iequals(field.name, name); }));
}

std::string FieldsView::joined(std::string_view name) const {
  std::string out;
  if ((names_ & mark_of(name)) == 0) return out;
  bool any = false;
  for (const Field& field : fields_) {
    if (!iequals(field.name, name)) continue;
    if (any) out.append(", ");
    out.append(field.value);
    any = true;
  }
  return out;
}

bool FieldsView::has_token(std::string_view name, std::string_view token) const {
  bool found = false;
  if ((names_ & mark_of(name)) == 0) return found;
  for (const Field& field : fields_)
    if (iequals(field.name, name))
      for_each_member(field.value, [&](std::string_view member) { found = found || iequals(member, token); });
  return found;
}

Fields::Fields(FieldsView view) {
  fields_.reserve(view.size());
  for (const Field& field : view) add(field.name, field.value);
}

Fields& Fields::operator=(const Fields& other) {
  if (this != &other) *this = Fields(other.view());
  return *this;
}

void Fields::add(std::string_view name, std::string_view value) { fields_.push_back({keep(name), keep(value)}); }

void Fields::set(std::string_view name, std::string_view value) {
  const auto is_it = [&](const Field& field) { return iequals(field.name, name); };
  const auto found = std::find_if(fields_.begin(), fields_.end(), is_it);
  if (found == fields_.end()) return add(name, value);
  found->value = keep(value);
  fields_.erase(std::remove_if(found + 1, fields_.end(), is_it), fields_.end());
}

std::size_t Fields::remove(std::string_view name) {
  return std::erase_if(fields_, [&](const Field& field) { return iequals(field.name, name); });
}

void Fields::clear() {
  fields_.clear();
  blocks_.clear();
  used_ = capacity_ = 0;
}

std::string_view Fields::keep(std::string_view text) {
  if (text.empty()) return {};
  if (capacity_ - used_ < text.size()) {
    capacity_ = std::max(kBlockBytes, text.size());
    used_ = 0;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
  }
  char* at = blocks_.back().get() + used_;
  std::memcpy(at, text.data(), text.size());
  used_ += text.size();
  return {at, text.size()};
}

}  // namespace ghmesh::http
