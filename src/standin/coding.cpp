// SPDX-License-Identifier: Apache-2.0
#include "standin/coding.hpp"

#include <zlib.h>

#include <ctime>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "crypto/hash.hpp"

namespace ghmesh::standin {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the 16 asks zlib for the gzip wrapper
constexpr std::size_t kMaxPlain = 64u << 20;

struct PrettyPrinter {
  std::string out;
  int depth = 0;

  void newline() {
    out.push_back('\n');
    out.append(static_cast<std::size_t>(depth) * 2, ' ');
  }
  void open(char c) {
    out.push_back(c);
    ++depth;
  }
  void close(char c, bool empty) {
    --depth;
    if (empty) out.push_back('\n');
    newline();
    out.push_back(c);
  }
};

std::tm utc(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm out{};
  gmtime_r(&seconds, &out);
  return out;
}

std::string formatted(WallTime time, const char* format) {
  const std::tm parts = utc(time);
  char buffer[64];
  return std::string(buffer, std::strftime(buffer, sizeof buffer, format, &parts));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string gzip(std::string_view plain) {
  z_stream stream{};
  GHMESH_CHECK(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, plain.size()), '\0');
  Bytes input = to_bytes(plain);
  stream.next_in = input.data();
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  GHMESH_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::optional<std::string> gunzip(std::string_view packed) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return std::nullopt;
  Bytes input = to_bytes(packed);
  stream.next_in = input.data();
  stream.avail_in = static_cast<uInt>(input.size());
  std::string out;
  int rc = Z_OK;
  while (rc == Z_OK && out.size() <= kMaxPlain) {
    char chunk[65536];
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    rc = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk, sizeof chunk - stream.avail_out);
  }
  inflateEnd(&stream);
  if (rc != Z_STREAM_END) return std::nullopt;
  return out;
}

std::string pretty_json(std::string_view compact) {
  PrettyPrinter p;
  p.out.reserve(compact.size() * 3 / 2);
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    if (c == '"') {
      const std::size_t start = i++;
      while (i < compact.size() && compact[i] != '"') i += compact[i] == '\\' ? 2 : 1;
      p.out.append(compact.substr(start, i + 1 - start));
    } else if (c == '{' || c == '[') {
      p.open(c);
      const bool empty = i + 1 < compact.size() && (compact[i + 1] == '}' || compact[i + 1] == ']');
      if (empty)
        p.close(compact[++i], true);
      else
        p.newline();
    } else if (c == '}' || c == ']') {
      p.close(c, false);
    } else if (c == ',') {
      p.out.push_back(c);
      p.newline();
    } else if (c == ':') {
      p.out.append(": ");
    } else {
      p.out.push_back(c);
    }
  }
  p.out.push_back('\n');
  return std::move(p.out);
}

bool wants_pretty(std::string_view user_agent) {
  for (const std::string_view name : {"curl", "Wget", "Safari", "Firefox"})
    if (user_agent.find(name) != std::string_view::npos) return true;
  return false;
}

std::string http_date(WallTime time) { return formatted(time, "%a, %d %b %Y %H:%M:%S GMT"); }
std::string iso_date(WallTime time) { return formatted(time, "%Y-%m-%dT%H:%M:%SZ"); }

std::optional<WallTime> parse_http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' && plus_is_space ? ' ' : text[i]);
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out.push_back(c);
      continue;
    }
    static constexpr char kDigits[] = "0123456789ABCDEF";
    const auto octet = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[octet >> 4]);
    out.push_back(kDigits[octet & 15]);
  }
  return out;
}

std::string fake_sha(std::string_view text) { return to_hex(crypto::sha256(as_bytes(text))).substr(0, 40); }

}  // namespace ghmesh::standin
