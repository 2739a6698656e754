// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// Executable GraphQL documents, as POST /graphql carries them: read with the complete grammar of the October 2021
// specification (§2, executable definitions), to know whether the operation that will run is a query and what makes two
// requests the same. Definitions of a type system are not executable and are refused. Depth, size and number of tokens
// are bounded (limits.hpp); nothing recurses deeper than the bound. Pure functions.

namespace ghmesh::github::graphql {

enum class OperationType : std::uint8_t { Query, Mutation, Subscription };
std::string_view to_string(OperationType type);

struct Operation {
  OperationType type = OperationType::Query;
  std::string_view name;                      // empty for an anonymous operation
  std::vector<std::string_view> root_fields;  // names (not aliases) at its top level; fragments are not followed
};

struct Document {
  std::vector<Operation> operations;
  std::size_t fragments = 0;
  // The tokens with one blank between them: blanks, commas and comments do not tell two documents apart, everything
  // else does.
  std::string normalised;
};

// Malformed (client's fault) with where it broke; Limit if it is too large or too deep. Views point into text.
Result<Document> parse_document(std::string_view text);

// The operation that runs (§6.1, GetOperation): the only one if name is empty, else the one of that name. Nothing if
// there is no such one, or several of that name.
const Operation* select_operation(const Document& document, std::string_view name);

// What the request's JSON body asks for.
struct Request {
  OperationType type = OperationType::Query;
  std::string operation_name;
  std::vector<std::string> root_fields;
  // Of a query: normalised document, operation name and variables (their JSON with sorted keys), length-prefixed; for
  // KeyMaker::graphql_key. Empty for others.
  std::string identity;
};

// Malformed if the body is not {"query": string, "operationName"?, "variables"?}, or the document is broken, or no
// single operation is meant. Such a request is forwarded and never cached.
Result<Request> parse_request(std::string_view json_body);

// Whether an answer may be kept: status 200, JSON, "data" present and not null, no "errors".
bool is_cacheable_answer(int status, std::string_view content_type, std::string_view body);

}  // namespace ghmesh::github::graphql
