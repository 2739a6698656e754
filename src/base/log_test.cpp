// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <gtest/gtest.h>

namespace ghmesh::log {
namespace {

std::string one_line(Format format) {
  std::string out;
  const Logger logger(Level::Info, format, [&](std::string_view line) { out.append(line); });
  logger.debug("hidden");
  logger.warn("peer left", {{"peer", "a b\n\x1b"}, {"count", 3}, {"ok", true}, {"size", std::uint64_t{7}}});
  return out;
}

TEST(Log, TextIsOneLineWhateverTheFieldsHold) {
  const std::string line = one_line(Format::Text);
  EXPECT_EQ(line.substr(12), " warn  peer left peer=\"a b\\u000a\\u001b\" count=3 ok=true size=7\n");
}

TEST(Log, JsonCarriesTheSameFields) {
  const std::string line = one_line(Format::Json);
  EXPECT_TRUE(line.starts_with("{\"ts\":\"20"));
  EXPECT_NE(line.find("\"level\":\"warn\",\"event\":\"peer left\",\"peer\":\"a "
                      "b\\u000a\\u001b\",\"count\":3,\"ok\":true,\"size\":7}\n"),
            std::string::npos);
}

TEST(Log, ADefaultLoggerIsSilent) {
  const Logger logger;
  EXPECT_FALSE(logger.enabled(Level::Error));
  logger.error("nobody hears this");
}

}  // namespace
}  // namespace ghmesh::log
