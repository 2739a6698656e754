// SPDX-License-Identifier: Apache-2.0
#include "node/config/values.hpp"

#include <gtest/gtest.h>

namespace ghmesh::node::config {
namespace {

TEST(Values, SizesHaveBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size("0").value(), 0u);
  EXPECT_EQ(parse_size("1048576").value(), 1048576u);
  EXPECT_EQ(parse_size("64MiB").value(), 64u << 20);
  EXPECT_EQ(parse_size("1GiB").value(), 1u << 30);
  EXPECT_EQ(parse_size("500KB").value(), 500000u);
  EXPECT_EQ(parse_size("2TiB").value(), 2ull << 40);
  for (const char* bad : {"", "MiB", "64 MiB", "-1", "+1", "64mib", "1.5GiB", "0x10", "64MiBs", "18446744073709551615",
                          "9999999999TiB", " 1"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Values, SizesAreWrittenAsTheyAreRead) {
  for (const char* text : {"64MiB", "1GiB", "3KiB", "1000", "2TiB"})
    EXPECT_EQ(format_size(parse_size(text).value()), text);
}

TEST(Values, TimesAreWholeSeconds) {
  using std::chrono::seconds;
  EXPECT_EQ(parse_seconds("0").value(), seconds(0));
  EXPECT_EQ(parse_seconds("300").value(), seconds(300));
  EXPECT_EQ(parse_seconds("90s").value(), seconds(90));
  EXPECT_EQ(parse_seconds("5m").value(), seconds(300));
  EXPECT_EQ(parse_seconds("2h").value(), seconds(7200));
  EXPECT_EQ(parse_seconds("1d").value(), seconds(86400));
  for (const char* bad : {"", "s", "-1", "1.5h", "1h30m", "99999999999", "3661d", "1 s"})
    EXPECT_FALSE(parse_seconds(bad)) << bad;
}

TEST(Values, PatienceIsInMillisecondsAndBounded) {
  using std::chrono::milliseconds;
  EXPECT_EQ(parse_patience("50").value(), milliseconds(50));
  EXPECT_EQ(parse_patience("5ms").value(), milliseconds(5));
  EXPECT_EQ(parse_patience("5s").value(), milliseconds(5000));
  for (const char* bad : {"", "0", "4", "5001", "6s", "1m", "-5", "0.5s", "50 ms"})
    EXPECT_FALSE(parse_patience(bad)) << bad;
}

TEST(Values, SwitchesTakeWhatOtherToolsWrite) {
  for (const char* yes : {"on", "true", "yes", "1"}) EXPECT_TRUE(parse_switch(yes).value()) << yes;
  for (const char* no : {"off", "false", "no", "0"}) EXPECT_FALSE(parse_switch(no).value()) << no;
  for (const char* bad : {"", "ON", "2", "enabled"}) EXPECT_FALSE(parse_switch(bad)) << bad;
}

TEST(Values, Endpoints) {
  EXPECT_EQ(io::to_string(parse_endpoint("127.0.0.1:8418").value()), "127.0.0.1:8418");
  EXPECT_EQ(io::to_string(parse_endpoint("[::1]:0").value()), "[::1]:0");
  EXPECT_EQ(io::to_string(parse_endpoint("localhost:80").value()), "127.0.0.1:80");
  for (const char* bad :
       {"", "8418", ":8418", "127.0.0.1", "example.org:80", "127.0.0.1:65536", "localhost:", "127.1:80"})
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
}

TEST(Values, OneInSoMany) {
  EXPECT_EQ(parse_one_in("1").value(), 1u);
  EXPECT_EQ(parse_one_in("1000000").value(), 1'000'000u);
  for (const char* bad : {"", "0", "-1", "+1", "1000001", "1/10", "10%", "1.5", " 1", "99999999999999999999"})
    EXPECT_FALSE(parse_one_in(bad)) << bad;
}

TEST(Values, PlainHttpStaysOnThisMachine) {
  EXPECT_EQ(parse_upstream("https://api.github.com").value().text(), "https://api.github.com/");
  EXPECT_EQ(parse_upstream("https://ghes.example/api/v3/").value().target, "/api/v3");
  EXPECT_TRUE(parse_upstream("http://127.0.0.1:9"));
  EXPECT_TRUE(parse_upstream("http://localhost:9"));
  EXPECT_TRUE(parse_upstream("http://[::1]:9"));
  for (const char* bad : {"http://api.github.com", "http://10.0.0.1", "http://127.0.0.1.example.org", "ftp://x", "x",
                          "", "https://user@api.github.com", "https://api.github.com/?a=b"})
    EXPECT_FALSE(parse_upstream(bad)) << bad;
}

}  // namespace
}  // namespace ghmesh::node::config
