// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json.hpp"
#include "standin/world.hpp"

// The objects of GitHub's REST API, with the members that clients read, in GitHub's order. Private to this room.

namespace ghmesh::standin {

struct ShapeContext {
  std::string api = "https://api.github.com";  // in front of every url
  std::string web = "https://github.com";
  WallTime now{};
  std::string login = "octocat";  // who did it
};

Json user_shape(const ShapeContext& c, std::string_view login);
Json repository_shape(const ShapeContext& c, const Repository& r);
Json label_shape(const ShapeContext& c, const Repository& r, std::string_view name, std::string_view color);
Json issue_shape(const ShapeContext& c, const Repository& r, std::uint64_t number, std::string_view title,
                 std::string_view body);
Json pull_shape(const ShapeContext& c, const Repository& r, std::uint64_t number, std::string_view title,
                std::string_view body, std::string_view head, std::string_view base);
Json comment_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::uint64_t issue,
                   std::string_view body);
Json commit_shape(const ShapeContext& c, const Repository& r, std::string_view message, std::string_view sha,
                  std::string_view parent);
Json reference_shape(const ShapeContext& c, const Repository& r, std::string_view ref, std::string_view sha);
Json content_shape(const ShapeContext& c, const Repository& r, std::string_view path, std::string_view text);
Json run_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::string_view branch,
               std::string_view status);
Json release_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::string_view tag);
Json asset_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::string_view name, std::size_t size);
Json status_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::string_view sha,
                  std::string_view state, std::string_view context);

// A node id that names what it stands for, so that GraphQL can find it again: base64 of "path".
std::string node_id(std::string_view path);
std::string path_of_node(std::string_view id);

}  // namespace ghmesh::standin
