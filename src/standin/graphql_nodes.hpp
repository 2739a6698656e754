// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "json.hpp"

// GraphQL objects built from their REST forms, whole: the members that gh and Octokit ask for. Private to this room.

namespace ghmesh::standin {

// A connection before its arguments are known: {"__items":[…]} becomes nodes, edges, totalCount and pageInfo.
Json connection(Json items);

Json actor(const Json& user);
Json label_node(const Json& label);
Json comment_node(const Json& comment);
// comments and reviews are the REST lists that belong to the object.
Json issue_node(const Json& issue, const Json& comments);
Json pull_node(const Json& pull, const Json& comments, const Json& reviews);
Json release_node(const Json& release);

}  // namespace ghmesh::standin
