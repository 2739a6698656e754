// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "github/resource.hpp"

// The tables behind classify(), for it and for its tests. GitHub's REST description (2026) is what they are read from.

namespace ghmesh::github {

struct ResourceRow {
  std::string_view pattern;  // as pattern.hpp says
  ResourceClass cls;
  Share share;
  Shape shape;
};

std::span<const ResourceRow> repository_rows();
std::span<const ResourceRow> root_rows();

}  // namespace ghmesh::github
