// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Fields of a message (RFC 9110 §5): views for what lies in someone's buffer, an owning list for what must live on.
// Names compare case-insensitively and keep the spelling they came with; values have no surrounding white space. Order
// is kept, also between lines of one name. Nothing here parses or trusts; http1 does that before a Field exists.

namespace ghmesh::http {

// ASCII only, as field names and tokens are.
bool iequals(std::string_view a, std::string_view b);
std::string to_lower(std::string_view text);
// Optional white space is SP and HTAB (RFC 9110 §5.6.3).
std::string_view trim(std::string_view text);
// token (RFC 9110 §5.6.2), not empty.
bool is_token(std::string_view text);
// field-value without CR, LF, NUL and other controls but HTAB.
bool is_field_value(std::string_view text);

struct Field {
  std::string_view name;
  std::string_view value;
};

// A borrowed list: valid as long as what it views.
class FieldsView {
 public:
  FieldsView() = default;
  FieldsView(std::span<const Field> fields) : fields_(fields) {}  // NOLINT: a view converts like string_view does
  // A list that will be asked for many names: most that are not in it are then told so without a search.
  static FieldsView indexed(std::span<const Field> fields) {
    FieldsView view(fields);
    view.names_ = 0;
    for (const Field& field : fields) view.names_ |= mark_of(field.name);
    return view;
  }

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }

  // The value of the first line of that name.
  std::optional<std::string_view> first(std::string_view name) const {
    if ((names_ & mark_of(name)) == 0) return std::nullopt;
    return find(name);
  }
  bool has(std::string_view name) const { return first(name).has_value(); }
  std::size_t count(std::string_view name) const;
  // All lines of that name, joined by ", " (RFC 9110 §5.3); empty if there is none.
  std::string joined(std::string_view name) const;
  // Whether a comma-separated list of tokens, over all lines of that name, holds token (case-insensitive).
  bool has_token(std::string_view name, std::string_view token) const;

 private:
  // One bit of 64 for a name, by its length and first letter: equal names have equal marks.
  static constexpr std::uint64_t mark_of(std::string_view name) {
    if (name.empty()) return 0;
    const auto letter = static_cast<std::size_t>(static_cast<unsigned char>(name.front()) | 0x20U);
    return std::uint64_t{1} << ((letter * 11 + name.size()) % 64);
  }
  std::optional<std::string_view> find(std::string_view name) const;

  std::span<const Field> fields_;
  std::uint64_t names_ = ~std::uint64_t{0};  // marks of the names that may be in the list
};

// Calls visit for each non-empty member of a comma-separated list (RFC 9110 §5.6.1), trimmed; commas inside quoted
// strings do not split.
template <typename Visit>
void for_each_member(std::string_view list, Visit visit) {
  std::size_t start = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size()) {
      if (quoted && list[i] == '\\') {
        ++i;
        continue;
      }
      if (list[i] == '"') quoted = !quoted;
      if (list[i] != ',' || quoted) continue;
    }
    const std::size_t stop = i < list.size() ? i : list.size();
    const std::string_view member = trim(list.substr(start, stop - start));
    if (!member.empty()) visit(member);
    start = stop + 1;
    if (start > list.size()) break;
  }
}

// An owning list. Characters live in blocks that never move, so views taken stay valid until the list is destroyed,
// assigned or cleared; a removed line's characters are only given back then. Copies copy.
class Fields {
 public:
  Fields() = default;
  explicit Fields(FieldsView view);
  Fields(std::initializer_list<Field> fields) : Fields(FieldsView(std::span(fields.begin(), fields.size()))) {}
  Fields(const Fields& other) : Fields(other.view()) {}
  Fields& operator=(const Fields& other);
  Fields(Fields&&) noexcept = default;
  Fields& operator=(Fields&&) noexcept = default;

  FieldsView view() const { return FieldsView(std::span<const Field>(fields_)); }
  operator FieldsView() const { return view(); }  // NOLINT
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }

  std::optional<std::string_view> first(std::string_view name) const { return view().first(name); }
  bool has(std::string_view name) const { return view().has(name); }
  std::string joined(std::string_view name) const { return view().joined(name); }
  bool has_token(std::string_view name, std::string_view token) const { return view().has_token(name, token); }

  void reserve(std::size_t lines) { fields_.reserve(lines); }
  void add(std::string_view name, std::string_view value);
  // One line of that name remains: at the place of the first, or at the end.
  void set(std::string_view name, std::string_view value);
  // Returns how many lines went.
  std::size_t remove(std::string_view name);
  void clear();

 private:
  std::string_view keep(std::string_view text);

  std::vector<Field> fields_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace ghmesh::http
