// SPDX-License-Identifier: Apache-2.0
#include "libp2p/multistream/negotiation.hpp"

#include <gtest/gtest.h>

namespace ghmesh::libp2p::multistream {
namespace {

Bytes lines(std::initializer_list<std::string_view> texts) {
  Bytes out;
  for (const std::string_view text : texts) append_line(out, text);
  return out;
}

// Feeds as a driver does: never more than asked for. Returns what was left untouched.
template <typename Side>
Result<Bytes> feed(Side& side, Bytes bytes, std::size_t piece = SIZE_MAX) {
  while (!bytes.empty() && side.want() > 0) {
    const std::size_t n = std::min({bytes.size(), side.want(), piece});
    if (auto fine = side.receive(ByteView(bytes).first(n)); !fine) return std::unexpected(fine.error());
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return bytes;
}

TEST(Multistream, LinesAsTheyWereSeenOnTheWire) {
  EXPECT_EQ(to_hex(lines({"/multistream/1.0.0"})), "13" + to_hex(as_bytes("/multistream/1.0.0\n")));
  EXPECT_EQ(to_hex(lines({"/noise", "na"})), "07" + to_hex(as_bytes("/noise\n")) + "036e610a");
  const std::string longer(200, 'a');
  EXPECT_EQ(to_hex(lines({longer})).substr(0, 6), "c90161");
}

TEST(Multistream, InitiatorSendsHeaderAndProposalAtOnce) {
  Initiator initiator({"/noise"});
  EXPECT_TRUE(equal(initiator.output(), lines({kHeader, "/noise"})));
  EXPECT_TRUE(initiator.may_send_early());
  EXPECT_FALSE(Initiator({"/noise", "/tls/1.0.0"}).may_send_early());
}

TEST(Multistream, BytesBehindTheAgreedLineStayUntouched) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{SIZE_MAX}}) {
    Responder responder([](std::string_view p) { return p == "/noise"; });
    Bytes in = lines({kHeader, "/noise"});
    append(in, "first noise message");
    const auto rest = feed(responder, in, piece);
    ASSERT_TRUE(rest);
    EXPECT_EQ(to_text(*rest), "first noise message");
    EXPECT_EQ(responder.agreed(), "/noise");
    EXPECT_TRUE(equal(responder.output(), lines({kHeader, "/noise"})));

    Initiator initiator({"/noise"});
    Bytes answer(responder.output().begin(), responder.output().end());
    append(answer, "second");
    EXPECT_EQ(to_text(*feed(initiator, answer, piece)), "second");
    EXPECT_EQ(initiator.agreed(), "/noise");
  }
}

TEST(Multistream, FurtherProposalsAfterNa) {
  Responder responder([](std::string_view p) { return p == "/c"; });
  ASSERT_TRUE(feed(responder, lines({kHeader, "/a", "ls", "/c"})));
  EXPECT_TRUE(equal(responder.output(), lines({kHeader, "na", "na", "/c"})));
  EXPECT_EQ(responder.agreed(), "/c");

  Initiator initiator({"/a", "/c"});
  initiator.consume_output(initiator.output().size());
  ASSERT_TRUE(feed(initiator, lines({kHeader, "na"})));
  EXPECT_TRUE(equal(initiator.output(), lines({"/c"})));
  ASSERT_TRUE(feed(initiator, lines({"/c"})));
  EXPECT_EQ(initiator.agreed(), "/c");
}

TEST(Multistream, NothingInCommonIsUnsupported) {
  Initiator initiator({"/a"});
  const auto rest = feed(initiator, lines({kHeader, "na"}));
  ASSERT_FALSE(rest);
  EXPECT_EQ(rest.error().code, ErrorCode::Unsupported);
}

TEST(Multistream, TriesAreBounded) {
  Responder responder([](std::string_view) { return false; });
  Bytes in = lines({kHeader});
  for (int i = 0; i < 7; ++i) append_line(in, "/x");
  ASSERT_TRUE(feed(responder, in));
  const auto last = feed(responder, lines({"/x"}));
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, ErrorCode::Limit);
}

TEST(Multistream, LinesAreBoundedByTheirLengthAlone) {
  Responder responder([](std::string_view) { return true; });
  ASSERT_TRUE(feed(responder, lines({kHeader, std::string(1023, 'p')})));
  EXPECT_TRUE(responder.agreed());
  Responder second([](std::string_view) { return true; });
  ASSERT_TRUE(feed(second, lines({kHeader})));
  const auto rest = feed(second, *from_hex("8108"));  // 1025 announced, nothing sent
  ASSERT_FALSE(rest);
  EXPECT_EQ(rest.error().code, ErrorCode::Limit);
}

TEST(Multistream, RefusesWhatIsNotMultistream) {
  for (const char* hex : {"0000", "8000", "ffff", "ff80", "0141", "0341420d", "1353"}) {
    Responder responder([](std::string_view) { return true; });
    Bytes in = *from_hex(hex);
    in.resize(20, 'x');
    EXPECT_FALSE(feed(responder, in)) << hex;
  }
  Responder http([](std::string_view) { return true; });
  EXPECT_FALSE(
      feed(http, to_bytes("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.0 and so on\r\nAccept: */*\r\n\r\n")));
  Initiator initiator({"/a"});
  EXPECT_FALSE(feed(initiator, lines({kHeader, "/b"})));
  Responder control([](std::string_view) { return true; });
  EXPECT_FALSE(feed(control, lines({kHeader, "/a\nb"})));
}

}  // namespace
}  // namespace ghmesh::libp2p::multistream
