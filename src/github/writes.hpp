// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "github/resource.hpp"

// What a write makes doubtful. Entries belong to named groups; a write names the groups it touches. A touched entry is
// no longer fresh: it must be proved before it is served again, by every node that hears of it. Its bytes stay, since a
// proof may well find them current. So naming too much costs a free 304, naming too little a stale answer.
// Group names hold paths: they leave the node as KeyMaker::group_key only. Pure functions.
//
//   =/repos/o/r/issues      exactly that path, any query and media type (owner and name in lower case)
//   /repos/o/r/issues/**    that path and everything below it
//   #volatile:/repos/o/r    all volatile entries of that repository; likewise #default:, #per-user:
//   kind:issues             that part of every repository; #volatile, #default: all entries of that class
//   graphql                 every answer of a GraphQL query

namespace ghmesh::github {

// Of an entry of the REST API. path is below the API's root, folded to /repos/OWNER/REPO where the name is known.
std::vector<std::string> groups_of(std::string_view path, const Resource& resource);
// Of a GraphQL query's answer.
std::vector<std::string> graphql_groups();

// RFC 9111 §4.4: an unsafe method with a non-error answer.
bool is_invalidating(std::string_view method, int status);

// What that write touches. A write that no row of the table knows touches its repository's volatile, default and
// per-user entries, or, outside of repositories, everything below its first two segments.
std::vector<std::string> invalidated_by(std::string_view method, std::string_view path);

// What a GraphQL mutation touches, by its root fields. The repository is hidden in node ids, so whole kinds are named;
// an unknown mutation touches everything that is not immutable.
std::vector<std::string> invalidated_by_mutation(const std::vector<std::string>& root_fields);

}  // namespace ghmesh::github
