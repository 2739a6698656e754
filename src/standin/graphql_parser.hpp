// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "json.hpp"

// Executable GraphQL documents (October 2021 specification §2) as far as clients of GitHub write them: operations,
// variables with defaults, fragments, inline fragments, directives, every kind of value. Private to this room and apart
// from the node's own parser, which this one is there to judge.

namespace ghmesh::standin {

struct Selection {
  enum class Kind { Field, Spread, Inline };
  Kind kind = Kind::Field;
  std::string name;                 // field, fragment, or the inline fragment's type ("" for none)
  std::string alias;                // response key of a field
  Json arguments = Json::object();  // a variable is {"$":"name"}, an enum its name as a string
  std::map<std::string, Json> directives;
  std::vector<Selection> selections;
};

struct Operation {
  std::string kind = "query";
  std::string name;
  Json defaults = Json::object();  // of variables
  std::vector<Selection> selections;
};

struct GraphqlDocument {
  std::vector<Operation> operations;
  std::map<std::string, std::vector<Selection>> fragments;
};

Result<GraphqlDocument> parse_graphql(std::string_view text);

}  // namespace ghmesh::standin
