// SPDX-License-Identifier: Apache-2.0
// What an unsafe method makes unusable (RFC 9111 §4.4), and how its references resolve.
#include <gtest/gtest.h>

#include "cache/target.hpp"
#include "test_engine.hpp"

namespace ghmesh::cache {
namespace {

// ---- invalidation (§4.4)

TEST_F(Engine, PatchInvalidatesAsEveryUnsafeMethodDoes) {
  for (const char* method : {"PATCH", "POST", "PUT", "DELETE", "M-SEARCH", "get"}) {
    answer(200, {{"Cache-Control", "max-age=60"}});
    ask(get());
    answer(500, {});
    ask({method, "/repos/o/r", {}});
    ask(get());
    EXPECT_TRUE(from_cache()) << method;
    answer(200, {{"Cache-Control", "max-age=60"}});
    ask({method, "/repos/o/r", {}});
    ask(get());
    EXPECT_FALSE(from_cache()) << method;
  }
  for (const char* method : {"OPTIONS", "TRACE"}) {
    ask({method, "/repos/o/r", {}});
    ask(get());
    EXPECT_TRUE(from_cache()) << method;
  }
}

TEST_F(Engine, LocationsOnThisHostAreInvalidatedAndNoOthers) {
  const auto invalidated = [&](const char* location, const char* content_location) {
    const Request request{"POST", "/repos/o/r/issues?x=1", {}};
    Exchange exchange;
    exchange.request = request.view();
    exchange.authority = "api.github.com";
    exchange.decision = decide(exchange.request, {}, {}, Now::of(clock_));
    const Fields fields{{"Location", location}, {"Content-Location", content_location}};
    return on_response(exchange, {201, fields}, {}, Now::of(clock_)).invalidate;
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(invalidated("https://api.github.com/repos/o/r/issues/7", "7"),
            (List{"/repos/o/r/issues?x=1", "/repos/o/r/issues/7", "/repos/o/r/7"}));
  EXPECT_EQ(invalidated("https://evil.example/repos/o/r", "//evil.example/x"), (List{"/repos/o/r/issues?x=1"}));
}

TEST(Target, ReferencesResolveAsRfc3986) {
  const auto resolve = [](std::string_view reference) {
    return resolve_target("a", "/b/c/d;p?q", reference).value_or("-");
  };
  struct Row {
    const char *reference, *target;
  };
  for (const Row& row :
       {Row{"g", "/b/c/g"},       Row{"./g", "/b/c/g"},      Row{"g/", "/b/c/g/"},        Row{"/g", "/g"},
        Row{"//g", "-"},          Row{"?y", "/b/c/d;p?y"},   Row{"g?y", "/b/c/g?y"},      Row{"#s", "/b/c/d;p?q"},
        Row{"g#s", "/b/c/g"},     Row{"", "/b/c/d;p?q"},     Row{".", "/b/c/"},           Row{"..", "/b/"},
        Row{"../g", "/b/g"},      Row{"../../../g", "/g"},   Row{"/./g", "/g"},           Row{"/../g", "/g"},
        Row{"g.", "/b/c/g."},     Row{"./g/../h", "/b/c/h"}, Row{"http://A:80/x", "/x"},  Row{"https://a", "/"},
        Row{"http://a?x", "/?x"}, Row{"mailto:x", "-"},      Row{"http://a:8080/x", "-"}, Row{"http://ab/x", "-"},
        Row{"http://u@a/x", "-"}})
    EXPECT_EQ(resolve(row.reference), row.target) << row.reference;
}

}  // namespace
}  // namespace ghmesh::cache
