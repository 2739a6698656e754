// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "base/bytes.hpp"
#include "standin/model.hpp"
#include "standin/world_builder.hpp"

// Any request gets an answer: "METHOD target", lines of fields, an empty line, a body; several follow each other after
// a NUL. The framing of bytes on a connection is not this room's.

namespace {

using namespace ghmesh;
using namespace ghmesh::standin;

Request read_request(std::string_view text) {
  Request r;
  const auto line = [&] {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view out = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return out;
  };
  const std::string_view first = line();
  const std::size_t space = std::min(first.find(' '), first.size());
  r.method = std::string(first.substr(0, space));
  r.target = std::string(first.substr(std::min(space + 1, first.size())));
  for (std::string_view field = line(); !field.empty(); field = line()) {
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos || !http::is_token(field.substr(0, colon)) ||
        !http::is_field_value(field.substr(colon + 1)))
      continue;
    r.fields.add(field.substr(0, colon), http::trim(field.substr(colon + 1)));
  }
  r.body = std::string(text);
  return r;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const WallTime now{std::chrono::seconds(1767225600)};
  static const World world = [&] {
    World w;
    SyntheticPlan plan;
    plan.files = 1;
    plan.issues = 3;
    plan.pulls = 1;
    plan.runs = 2;
    build_synthetic(w, plan, now);
    return w;
  }();
  GithubModel model;
  model.world = world;
  model.tokens.add_user("t", "alice").everything = true;
  std::string_view rest = as_text(ByteView(data, size));
  for (int i = 0; i < 8 && !rest.empty(); ++i) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    const Response answer = model.handle(read_request(rest.substr(0, end)), now);
    if (answer.status < 200 || answer.status > 599) std::abort();
    if (answer.status == 304 && !answer.body.empty()) std::abort();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
