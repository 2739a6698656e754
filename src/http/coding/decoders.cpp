// SPDX-License-Identifier: Apache-2.0
#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "base/check.hpp"
#include "http/coding/coding.hpp"

namespace ghmesh::http::coding {
namespace {

// Output grows by such steps; the bounds are looked at after each, so a bomb costs one step more than it may.
constexpr std::size_t kStep = 32 * 1024;

Result<> malformed(const char* what) { return fail(ErrorCode::Malformed, what, Fault::Origin); }

// What all decoders share: a room to write into, and the bounds.
class Bounded : public Decoder {
 public:
  explicit Bounded(const DecodeLimits& limits) : limits_(limits) {}

 protected:
  void note_input(std::size_t bytes) { in_ += bytes; }
  // Makes room behind the end of out and gives it; settle() says how much of it was filled.
  MutableByteView room(Bytes& out) {
    filled_ = out.size();
    out.resize(filled_ + kStep);
    return MutableByteView(out).subspan(filled_);
  }
  Result<> settle(Bytes& out, std::size_t written) {
    out.resize(filled_ + written);
    out_ += written;
    if (out_ > limits_.output_bytes) return fail(ErrorCode::Limit, "decoded body too large", Fault::Origin);
    if (out_ > limits_.ratio_free_bytes && out_ > in_ * limits_.ratio)
      return fail(ErrorCode::Limit, "body inflates like a bomb", Fault::Origin);
    return {};
  }

 private:
  DecodeLimits limits_;
  std::uint64_t in_ = 0;
  std::uint64_t out_ = 0;
  std::size_t filled_ = 0;
};

class IdentityDecoder final : public Bounded {
 public:
  using Bounded::Bounded;
  Result<> decode(ByteView in, Bytes& out) override {
    note_input(in.size());
    while (!in.empty()) {
      const MutableByteView to = room(out);
      const std::size_t size = std::min(to.size(), in.size());
      std::copy_n(in.begin(), size, to.begin());
      in = in.subspan(size);
      if (auto settled = settle(out, size); !settled) return settled;
    }
    return {};
  }
  Result<> finish() override { return {}; }
};

class ZlibDecoder final : public Bounded {
 public:
  ZlibDecoder(const DecodeLimits& limits, bool gzip) : Bounded(limits), gzip_(gzip) {
    GHMESH_CHECK(inflateInit2(&stream_, gzip ? 16 + MAX_WBITS : MAX_WBITS) == Z_OK);
  }
  ~ZlibDecoder() override { inflateEnd(&stream_); }

  Result<> decode(ByteView in, Bytes& out) override {
    if (in.empty()) return {};
    note_input(in.size());
    stream_.next_in = const_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    while (true) {
      if (ended_) {
        if (stream_.avail_in == 0) return {};
        // A gzip file may have several members (RFC 1952 §2.2); zlib data has one.
        if (!gzip_ || inflateReset(&stream_) != Z_OK) return malformed("data behind the end of the coded body");
        ended_ = false;
      }
      const MutableByteView to = room(out);
      stream_.next_out = to.data();
      stream_.avail_out = static_cast<uInt>(to.size());
      const int code = inflate(&stream_, Z_NO_FLUSH);
      started_ = true;
      if (auto settled = settle(out, to.size() - stream_.avail_out); !settled) return settled;
      if (code == Z_STREAM_END) {
        ended_ = true;
      } else if (code == Z_BUF_ERROR) {
        return {};
      } else if (code != Z_OK) {
        return malformed("not the content coding it says");
      } else if (stream_.avail_in == 0 && stream_.avail_out != 0) {
        return {};
      }
    }
  }
  Result<> finish() override { return ended_ || !started_ ? Result<>() : malformed("coded body ends early"); }

 private:
  z_stream stream_{};
  const bool gzip_;
  bool started_ = false;  // an empty body stands for an empty one in any coding: HEAD and 304 name codings, too
  bool ended_ = false;
};

class BrotliDecoder final : public Bounded {
 public:
  explicit BrotliDecoder(const DecodeLimits& limits)
      : Bounded(limits), state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    GHMESH_CHECK(state_ != nullptr);
  }
  ~BrotliDecoder() override { BrotliDecoderDestroyInstance(state_); }

  Result<> decode(ByteView in, Bytes& out) override {
    note_input(in.size());
    std::size_t in_left = in.size();
    const std::uint8_t* next_in = in.data();
    while (true) {
      if (ended_) return in_left == 0 ? Result<>() : malformed("data behind the end of the coded body");
      if (in_left > 0) started_ = true;
      const MutableByteView to = room(out);
      std::size_t out_left = to.size();
      std::uint8_t* next_out = to.data();
      const auto code = BrotliDecoderDecompressStream(state_, &in_left, &next_in, &out_left, &next_out, nullptr);
      if (auto settled = settle(out, to.size() - out_left); !settled) return settled;
      if (code == BROTLI_DECODER_RESULT_ERROR) return malformed("not the content coding it says");
      if (code == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return {};
      ended_ = code == BROTLI_DECODER_RESULT_SUCCESS;
    }
  }
  Result<> finish() override { return ended_ || !started_ ? Result<>() : malformed("coded body ends early"); }

 private:
  BrotliDecoderState* state_;
  bool started_ = false;
  bool ended_ = false;
};

class ZstdDecoder final : public Bounded {
 public:
  explicit ZstdDecoder(const DecodeLimits& limits) : Bounded(limits), stream_(ZSTD_createDStream()) {
    GHMESH_CHECK(stream_ != nullptr);
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLog);
  }
  ~ZstdDecoder() override { ZSTD_freeDStream(stream_); }

  Result<> decode(ByteView in, Bytes& out) override {
    note_input(in.size());
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    while (true) {
      const MutableByteView to = room(out);
      ZSTD_outBuffer into{to.data(), to.size(), 0};
      const std::size_t before = from.pos;
      const std::size_t code = ZSTD_decompressStream(stream_, &into, &from);
      if (auto settled = settle(out, into.pos); !settled) return settled;
      if (ZSTD_isError(code)) return malformed("not the content coding it says");
      // 0 says that a frame is complete; asking again with nothing in hand would say that the next one is not.
      if (from.pos != before || into.pos != 0) frame_open_ = code != 0;
      if (from.pos == from.size && into.pos < into.size) return {};
    }
  }
  Result<> finish() override { return frame_open_ ? malformed("coded body ends early") : Result<>(); }

 private:
  ZSTD_DStream* stream_;
  bool frame_open_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Coding coding, const DecodeLimits& limits) {
  switch (coding) {
    case Coding::Gzip: return std::make_unique<ZlibDecoder>(limits, true);
    case Coding::Deflate: return std::make_unique<ZlibDecoder>(limits, false);
    case Coding::Brotli: return std::make_unique<BrotliDecoder>(limits);
    case Coding::Zstd: return std::make_unique<ZstdDecoder>(limits);
    case Coding::Identity: break;
  }
  return std::make_unique<IdentityDecoder>(limits);
}

Bytes gzip_encode(ByteView in, int level) {
  z_stream stream{};
  GHMESH_CHECK(deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(deflateBound(&stream, static_cast<uLong>(in.size())));
  stream.next_in = const_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  GHMESH_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace ghmesh::http::coding
