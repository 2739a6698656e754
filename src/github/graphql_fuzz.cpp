// SPDX-License-Identifier: Apache-2.0
// What parses, parses again from its normalised form to the same operations and the same form; and any bytes may be a
// request body.
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "github/graphql.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh::github::graphql;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const auto document = parse_document(in);
  if (document) {
    const auto again = parse_document(document->normalised);
    GHMESH_CHECK(again.has_value());
    GHMESH_CHECK(again->normalised == document->normalised);
    GHMESH_CHECK(again->operations.size() == document->operations.size());
    for (std::size_t i = 0; i < again->operations.size(); ++i) {
      GHMESH_CHECK(again->operations[i].type == document->operations[i].type);
      GHMESH_CHECK(again->operations[i].name == document->operations[i].name);
    }
  }
  const auto request = parse_request(in);
  if (request) GHMESH_CHECK((request->type == OperationType::Query) == !request->identity.empty());
  return 0;
}
