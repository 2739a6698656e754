// SPDX-License-Identifier: Apache-2.0
#include "http/coding/coding.hpp"

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace ghmesh::http::coding {
namespace {

Bytes encode(Coding coding, ByteView in) {
  Bytes out(in.size() + 1024);
  switch (coding) {
    case Coding::Identity: return {in.begin(), in.end()};
    case Coding::Gzip: return gzip_encode(in);
    case Coding::Deflate: {
      uLongf size = out.size();
      compress(out.data(), &size, in.data(), in.size());
      out.resize(size);
      return out;
    }
    case Coding::Brotli: {
      std::size_t size = out.size();
      BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, in.size(), in.data(), &size, out.data());
      out.resize(size);
      return out;
    }
    case Coding::Zstd: out.resize(ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 3)); return out;
  }
  return {};
}

constexpr Coding kAll[] = {Coding::Identity, Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd};

Bytes sample() {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "{\"id\":" + std::to_string(i * 7919) + ",\"name\":\"octocat\"},";
  return to_bytes(text);
}

TEST(Coding, EveryCodingComesBackInAnyPieces) {
  const Bytes body = sample();
  for (const Coding coding : kAll) {
    const Bytes coded = encode(coding, body);
    EXPECT_EQ(decode_all(coding, coded), body) << to_string(coding);
    for (const std::size_t piece : {1u, 7u, 4096u}) {
      const auto decoder = make_decoder(coding);
      Bytes out;
      for (std::size_t at = 0; at < coded.size(); at += piece)
        ASSERT_TRUE(decoder->decode(ByteView(coded).subspan(at, std::min(piece, coded.size() - at)), out));
      EXPECT_TRUE(decoder->finish());
      EXPECT_EQ(out, body) << to_string(coding);
    }
    EXPECT_EQ(decode_all(coding, {}), Bytes()) << to_string(coding);
  }
}

TEST(Coding, CutFlippedAndPaddedBodiesAreErrors) {
  const Bytes body = sample();
  for (const Coding coding : kAll) {
    if (coding == Coding::Identity) continue;
    Bytes coded = encode(coding, body);
    for (const std::size_t size : {coded.size() - 1, coded.size() / 2, std::size_t{1}})
      EXPECT_FALSE(decode_all(coding, ByteView(coded).first(size))) << to_string(coding) << size;
    coded.push_back('x');
    EXPECT_FALSE(decode_all(coding, coded)) << to_string(coding);
    EXPECT_FALSE(decode_all(coding, as_bytes("plain text, not coded at all"))) << to_string(coding);
  }
  Bytes gzip = encode(Coding::Gzip, body);
  gzip[gzip.size() - 6] ^= 1;  // in the checksum
  EXPECT_FALSE(decode_all(Coding::Gzip, gzip));
}

TEST(Coding, SeveralGzipMembersAreOneBody) {
  Bytes two = gzip_encode(as_bytes("hello, "));
  append(two, gzip_encode(as_bytes("world")));
  EXPECT_EQ(to_text(decode_all(Coding::Gzip, two).value()), "hello, world");
}

// Attack A20: a small body that inflates into all memory.
TEST(Coding, A20_BombsStopAtTheRatioAndAtTheBound) {
  const Bytes zeros(40 * 1024 * 1024);
  const Bytes some = Bytes(zeros.begin(), zeros.begin() + 900 * 1024);
  for (const Coding coding : {Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd}) {
    const Bytes bomb = encode(coding, zeros);
    const auto decoder = make_decoder(coding);
    Bytes out;
    const auto decoded = decoder->decode(bomb, out);
    ASSERT_FALSE(decoded) << to_string(coding);
    EXPECT_EQ(decoded.error().code, ErrorCode::Limit);
    EXPECT_LT(out.size(), 6u * 1024 * 1024) << to_string(coding);
    EXPECT_TRUE(decode_all(coding, encode(coding, some))) << "below 1 MiB any ratio is fine";
  }
  DecodeLimits small;
  small.output_bytes = 1000;
  EXPECT_TRUE(decode_all(Coding::Gzip, gzip_encode(Bytes(1000, 'x')), small));
  EXPECT_FALSE(decode_all(Coding::Gzip, gzip_encode(Bytes(1001, 'x')), small));
  EXPECT_FALSE(decode_all(Coding::Identity, Bytes(1001, 'x'), small));
}

TEST(Coding, ZstdWindowsBeyondTheBoundAreRefused) {
  const Bytes body(9 * 1024 * 1024, 'x');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 24);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  Bytes coded(1024 * 1024);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  ZSTD_outBuffer out{coded.data(), coded.size(), 0};
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue);
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  EXPECT_FALSE(decode_all(Coding::Zstd, ByteView(coded).first(out.pos), {16u << 20, 1u << 20, 1u << 30}));
}

TEST(Coding, Names) {
  EXPECT_EQ(parse_content_encoding(""), Coding::Identity);
  EXPECT_EQ(parse_content_encoding("GZip"), Coding::Gzip);
  EXPECT_EQ(parse_content_encoding("gzip, br"), std::nullopt);
  EXPECT_EQ(parse_content_encoding("compress"), std::nullopt);
  EXPECT_TRUE(accepts("gzip, deflate, br", Coding::Brotli));
  EXPECT_TRUE(accepts("*", Coding::Zstd));
  EXPECT_TRUE(accepts("gzip;q=0.001", Coding::Gzip));
  EXPECT_FALSE(accepts("gzip;q=0", Coding::Gzip));
  EXPECT_FALSE(accepts("*, gzip; q=0.000", Coding::Gzip));
  EXPECT_FALSE(accepts("", Coding::Gzip));
  EXPECT_TRUE(accepts("", Coding::Identity));
  EXPECT_FALSE(accepts("identity;q=0", Coding::Identity));
  EXPECT_FALSE(accepts("*;q=0", Coding::Identity));
}

}  // namespace
}  // namespace ghmesh::http::coding
