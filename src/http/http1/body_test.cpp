// SPDX-License-Identifier: Apache-2.0
#include "http/http1/body.hpp"

#include <gtest/gtest.h>

namespace ghmesh::http::http1 {
namespace {

struct Decoded {
  BodyDecoder::State state = BodyDecoder::State::NeedMore;
  std::string body;
  std::size_t consumed = 0;
};

// Feeds text in pieces of a size.
Decoded decode(BodyDecoder& decoder, std::string_view text, std::size_t piece) {
  Decoded out;
  std::size_t end = 0;
  while (true) {
    const auto step = decoder.next(text.substr(out.consumed, end - out.consumed));
    out.body.append(step.data);
    out.consumed += step.consumed;
    out.state = step.state;
    if (step.state == BodyDecoder::State::Done || step.state == BodyDecoder::State::Error) return out;
    if (step.state == BodyDecoder::State::Data) continue;
    EXPECT_EQ(out.consumed, end);
    if (end == text.size()) return out;
    end = std::min(text.size(), end + piece);
  }
}

Decoded decode_chunked(std::string_view text, std::size_t piece = 1000) {
  BodyDecoder decoder({BodyKind::Chunked, 0});
  return decode(decoder, text, piece);
}

TEST(Body, ALengthIsCountedDown) {
  for (const std::size_t piece : {1u, 2u, 100u}) {
    BodyDecoder decoder({BodyKind::Length, 5});
    const Decoded out = decode(decoder, "helloGET /", piece);
    EXPECT_EQ(out.state, BodyDecoder::State::Done);
    EXPECT_EQ(out.body, "hello");
    EXPECT_EQ(out.consumed, 5u);
  }
  BodyDecoder cut({BodyKind::Length, 5});
  EXPECT_EQ(decode(cut, "hell", 9).state, BodyDecoder::State::NeedMore);
  EXPECT_FALSE(cut.complete_at_end());
}

TEST(Body, NothingIsDoneAtOnceAndCloseEndsOnlyWhatItMay) {
  BodyDecoder none({BodyKind::None, 0});
  EXPECT_EQ(none.next("x").state, BodyDecoder::State::Done);
  EXPECT_EQ(none.next("x").consumed, 0u);
  BodyDecoder close({BodyKind::UntilClose, 0});
  EXPECT_EQ(decode(close, "abc", 1).body, "abc");
  EXPECT_TRUE(close.complete_at_end());
}

TEST(Chunked, AnySplitGivesTheSame) {
  const std::string_view text = "5;a=\"b\"\r\nhello\r\n00A\r\n, worldly!\r\n0\r\nX-A: 1\r\nAuthorization: 9\r\n\r\nGET";
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    BodyDecoder decoder({BodyKind::Chunked, 0});
    const Decoded out = decode(decoder, text, piece);
    ASSERT_EQ(out.state, BodyDecoder::State::Done) << decoder.what();
    EXPECT_EQ(out.body, "hello, worldly!");
    EXPECT_EQ(text.substr(out.consumed), "GET");
    EXPECT_EQ(decoder.trailers().size(), 1u);
    EXPECT_EQ(decoder.trailers().first("x-a"), "1");
  }
}

// Attack A13: sizes that somebody's strtol would take.
TEST(Chunked, A13_BadSizesAndEndsAreErrors) {
  for (const char* text : {"-1\r\n",
                           "+1\r\na\r\n",
                           "0x1\r\na\r\n",
                           " 1\r\na\r\n",
                           "1 \r\na\r\n",
                           "1 ;a\r\na\r\n",
                           "\r\n",
                           ";a\r\n",
                           "g\r\n",
                           "1\na\r\n",
                           "1\r\nab\r\n",
                           "1\r\na\n0\r\n\r\n",
                           "1\r\na\rx",
                           "1;\x01\r\n",
                           "1;a\nb\r\n",
                           "FFFFFFFFFFFFFFFF\r\n",
                           "10000000000000000\r\n",
                           "0\r\nA : b\r\n\r\n",
                           "0\r\n b\r\n\r\n",
                           "0\r\nA: b\n\r\n",
                           "0\r\n\n",
                           "0\r\nContent-Length: 1\r\n\r\n",
                           "0\r\nTransfer-Encoding: chunked\r\n\r\n"})
    EXPECT_EQ(decode_chunked(text).state, BodyDecoder::State::Error) << text;
  EXPECT_EQ(decode_chunked("000\r\n\r\n").state, BodyDecoder::State::Done);
  BodyDecoder cut({BodyKind::Chunked, 0});
  decode(cut, "5\r\nhello\r\n", 100);
  EXPECT_FALSE(cut.complete_at_end());
}

TEST(Chunked, A13_ExtensionsAreReadByTheirGrammar) {
  for (const char* text : {"1;a\r\n", "1;a=b\r\n", "1;a=\"b;\\\"=\"\r\n", "1;a;b=c;d=\"\"\r\n", "1;!#$=%&\r\n"})
    EXPECT_EQ(decode_chunked(text + std::string("x\r\n0\r\n\r\n")).body, "x") << text;
  for (const char* text : {"1;\r\n", "1;;a\r\n", "1;a;\r\n", "1;=b\r\n", "1;a=\r\n", "1;a=;b\r\n", "1;a=@b\r\n",
                           "1;a=b\"\r\n", "1;a=\"b\r\n", "1;a=\"b\"c\r\n", "1;a=\"b\\\"\r\n", "1;a\x7f\r\n",
                           "1;a\xff\r\n", "1; a\r\n", "1;a =b\r\n", "1;a= b\r\n", "1;a \r\n", "1;a=b c\r\n"})
    EXPECT_EQ(decode_chunked(text + std::string("x\r\n0\r\n\r\n")).state, BodyDecoder::State::Error) << text;
}

TEST(Chunked, LimitsAreReachedAndJustNot) {
  const ChunkLimits limits;
  const auto line = [](std::size_t size) { return "1;" + std::string(size - 4, 'e') + "\r\na\r\n"; };
  EXPECT_EQ(decode_chunked(line(limits.line_bytes)).state, BodyDecoder::State::NeedMore);
  EXPECT_EQ(decode_chunked(line(limits.line_bytes + 1)).state, BodyDecoder::State::Error);
  std::string many;
  for (std::size_t used = 0; used + 200 <= limits.extension_bytes; used += 200) many += line(204);
  EXPECT_EQ(decode_chunked(many).state, BodyDecoder::State::NeedMore);
  EXPECT_EQ(decode_chunked(many + line(204)).state, BodyDecoder::State::Error);
  std::string trailers = "0\r\n";
  for (std::size_t i = 0; i < limits.trailer_fields; ++i) trailers += "A: b\r\n";
  EXPECT_EQ(decode_chunked(trailers + "\r\n").state, BodyDecoder::State::Done);
  EXPECT_EQ(decode_chunked(trailers + "A: b\r\n\r\n").state, BodyDecoder::State::Error);
  EXPECT_EQ(decode_chunked("0\r\nA: " + std::string(limits.trailer_bytes, 'x')).state, BodyDecoder::State::Error);
}

TEST(Chunked, HeadersAreHexadecimal) {
  EXPECT_EQ(ChunkHeader(1).text(), "1\r\n");
  EXPECT_EQ(ChunkHeader(0x1a2b).text(), "1a2b\r\n");
  EXPECT_EQ(ChunkHeader(UINT64_MAX).text(), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace ghmesh::http::http1
