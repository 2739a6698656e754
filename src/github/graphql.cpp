// SPDX-License-Identifier: Apache-2.0
#include "github/graphql.hpp"

#include <simdjson.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "github/canonical.hpp"
#include "github/limits.hpp"
#include "graphql_lexer.hpp"

namespace ghmesh::github::graphql {
namespace {

// Recursive descent over the executable part of the grammar; Appendix B of the specification names the productions.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) {}

  Result<Document> run() {
    if (text_.size() > kLimits.max_graphql_document)
      return fail(ErrorCode::Limit, "GraphQL document too large", Fault::Client);
    document_.normalised.reserve(text_.size());
    advance();
    do {
      if (!definition()) return failure();
    } while (token_.kind != TokenKind::End);
    return std::move(document_);
  }

 private:
  // Each level of nesting costs one; the destructor gives it back.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Level() { --parser_.depth_; }
    bool fits() const {
      if (parser_.depth_ > kLimits.max_graphql_depth) parser_.limited_ = true;
      return !parser_.limited_;
    }

   private:
    Parser& parser_;
  };

  std::unexpected<Error> failure() const {
    if (limited_) return fail(ErrorCode::Limit, "GraphQL document too deep or too long", Fault::Client);
    const std::size_t at =
        token_.text.empty() ? text_.size() : static_cast<std::size_t>(token_.text.data() - text_.data());
    return fail(ErrorCode::Malformed, "GraphQL document: unexpected token at byte " + std::to_string(at),
                Fault::Client);
  }

  void advance() {
    if (token_.kind != TokenKind::End) {
      if (!document_.normalised.empty()) document_.normalised += ' ';
      document_.normalised += token_.text;
    }
    token_ = lexer_.next();
    if (++tokens_ > kLimits.max_graphql_tokens) {
      limited_ = true;
      token_ = {TokenKind::Error, {}};
    }
  }
  bool accept(std::string_view punctuator) {
    if (!token_.is(punctuator)) return false;
    advance();
    return true;
  }
  bool name() {
    if (token_.kind != TokenKind::Name) return false;
    advance();
    return true;
  }

  bool definition() {
    if (token_.is("{")) {
      document_.operations.push_back({});
      return selection_set(&document_.operations.back());
    }
    if (token_.is_name("fragment")) return fragment();
    for (const OperationType type : {OperationType::Query, OperationType::Mutation, OperationType::Subscription})
      if (token_.is_name(to_string(type))) return operation(type);
    return false;
  }

  bool operation(OperationType type) {
    advance();
    Operation out;
    out.type = type;
    if (token_.kind == TokenKind::Name) {
      out.name = token_.text;
      advance();
    }
    document_.operations.push_back(out);
    return variable_definitions() && directives() && selection_set(&document_.operations.back());
  }

  // FragmentName is a Name but not "on".
  bool fragment() {
    advance();
    ++document_.fragments;
    if (token_.is_name("on") || !name() || !token_.is_name("on")) return false;
    advance();
    return name() && directives() && selection_set(nullptr);
  }

  bool variable_definitions() {
    if (!accept("(")) return true;
    do {
      if (!accept("$") || !name() || !accept(":") || !type()) return false;
      if (accept("=") && !value()) return false;
      if (!directives()) return false;
    } while (!token_.is(")"));
    return accept(")");
  }

  bool type() {
    const Level level(*this);
    if (!level.fits()) return false;
    if (accept("[")) {
      if (!type() || !accept("]")) return false;
    } else if (!name()) {
      return false;
    }
    accept("!");
    return true;
  }

  bool directives() {
    while (accept("@"))
      if (!name() || !arguments()) return false;
    return true;
  }

  bool arguments() {
    if (!accept("(")) return true;
    do {
      if (!name() || !accept(":") || !value()) return false;
    } while (!token_.is(")"));
    return accept(")");
  }

  bool value() {
    const Level level(*this);
    if (!level.fits()) return false;
    if (accept("$")) return name();
    if (accept("[")) {
      while (!token_.is("]"))
        if (!value()) return false;
      return accept("]");
    }
    if (accept("{")) {
      while (!token_.is("}"))
        if (!name() || !accept(":") || !value()) return false;
      return accept("}");
    }
    switch (token_.kind) {
      case TokenKind::Int:
      case TokenKind::Float:
      case TokenKind::String:
      case TokenKind::BlockString:
      case TokenKind::Name: advance(); return true;
      case TokenKind::End:
      case TokenKind::Punctuator:
      case TokenKind::Error: break;
    }
    return false;
  }

  // At least one selection. Of the top level, names go to root.
  bool selection_set(Operation* root) {
    const Level level(*this);
    if (!level.fits() || !accept("{")) return false;
    do {
      if (!selection(root)) return false;
    } while (!token_.is("}"));
    return accept("}");
  }

  bool selection(Operation* root) {
    if (accept("...")) {
      if (token_.kind == TokenKind::Name && !token_.is_name("on")) {
        advance();
        return directives();
      }
      if (token_.is_name("on")) {
        advance();
        if (!name()) return false;
      }
      // What an inline fragment selects at the top is still at the top.
      return directives() && selection_set(root);
    }
    std::string_view field = token_.text;
    if (!name()) return false;
    if (accept(":")) {
      field = token_.text;
      if (!name()) return false;
    }
    if (root != nullptr) root->root_fields.push_back(field);
    if (!arguments() || !directives()) return false;
    return !token_.is("{") || selection_set(nullptr);
  }

  std::string_view text_;
  Lexer lexer_;
  Token token_;
  Document document_;
  std::size_t depth_ = 0;
  std::size_t tokens_ = 0;
  bool limited_ = false;
};

void append_field(std::string& out, std::string_view text) {
  std::uint8_t length[8];
  store_be(length, static_cast<std::uint64_t>(text.size()));
  out.append(reinterpret_cast<const char*>(length), sizeof length);
  out += text;
}

// JSON with object keys in order; numbers and strings as simdjson writes them. Two spellings of one value give one
// text.
bool write_sorted(simdjson::dom::element element, std::string& out, std::size_t depth) {
  if (depth > kLimits.max_json_depth) return false;
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (!element.get(object)) {
    std::vector<simdjson::dom::key_value_pair> members;
    for (const auto& member : object) members.push_back(member);
    // A name given twice has no agreed meaning; its request is not cached.
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    for (std::size_t i = 1; i < members.size(); ++i)
      if (members[i - 1].key == members[i].key) return false;
    out += '{';
    for (const auto& member : members) {
      append_field(out, member.key);
      if (!write_sorted(member.value, out, depth + 1)) return false;
    }
    out += '}';
    return true;
  }
  if (!element.get(array)) {
    out += '[';
    for (const simdjson::dom::element item : array)
      if (!write_sorted(item, out, depth + 1)) return false;
    out += ']';
    return true;
  }
  // The type goes along, so that "1" and 1 differ.
  out += static_cast<char>(element.type());
  append_field(out, simdjson::minify(element));
  return true;
}

std::unexpected<Error> bad_request(std::string message) {
  return fail(ErrorCode::Malformed, "GraphQL request: " + std::move(message), Fault::Client);
}

}  // namespace

std::string_view to_string(OperationType type) {
  switch (type) {
    case OperationType::Query: return "query";
    case OperationType::Mutation: return "mutation";
    case OperationType::Subscription: return "subscription";
  }
  return "";
}

Result<Document> parse_document(std::string_view text) { return Parser(text).run(); }

const Operation* select_operation(const Document& document, std::string_view name) {
  if (name.empty()) return document.operations.size() == 1 ? &document.operations.front() : nullptr;
  const Operation* found = nullptr;
  for (const Operation& operation : document.operations) {
    if (operation.name != name) continue;
    if (found != nullptr) return nullptr;
    found = &operation;
  }
  return found;
}

Result<Request> parse_request(std::string_view json_body) {
  if (json_body.size() > kLimits.max_scan) return fail(ErrorCode::Limit, "GraphQL request too large", Fault::Client);
  const simdjson::padded_string padded(json_body);
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  std::string_view query;
  if (parser.parse(padded).get(root)) return bad_request("not a JSON object");
  std::string_view operation_name;
  std::string variables;
  bool have_query = false;
  for (const simdjson::dom::key_value_pair member : root) {
    if (member.key == "query") {
      if (have_query || member.value.get(query)) return bad_request("query is not one string");
      have_query = true;
    } else if (member.key == "operationName") {
      if (!member.value.is_null() && member.value.get(operation_name)) return bad_request("operationName is no string");
    } else if (member.key == "variables") {
      if (!member.value.is_null() && !member.value.is_object()) return bad_request("variables is no object");
      if (!variables.empty() || !write_sorted(member.value, variables, 1)) return bad_request("variables");
    } else {
      // extensions, persisted queries: whatever it is, it may change the answer.
      return bad_request("unknown member");
    }
  }
  if (!have_query) return bad_request("no query");
  const Result<Document> document = parse_document(query);
  if (!document) return std::unexpected(document.error());
  const Operation* operation = select_operation(*document, operation_name);
  if (operation == nullptr) return bad_request("no single operation is meant");
  Request out;
  out.type = operation->type;
  out.operation_name = operation_name;
  for (const std::string_view field : operation->root_fields) out.root_fields.emplace_back(field);
  if (out.type == OperationType::Query) {
    append_field(out.identity, document->normalised);
    append_field(out.identity, operation_name);
    append_field(out.identity, variables);
  }
  return out;
}

bool is_cacheable_answer(int status, std::string_view content_type, std::string_view body) {
  if (status != 200 || !is_json_media_type(content_type) || body.size() > kLimits.max_scan) return false;
  const simdjson::padded_string padded(body);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element part;
  if (parser.parse(padded).get(root) || !root.is_object()) return false;
  if (!root["errors"].get(part)) return false;
  return !root["data"].get(part) && !part.is_null();
}

}  // namespace ghmesh::github::graphql
