// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

// One flat JSON object on one line, written field by field. Private to the room.

namespace ghmesh::libp2p::devtool {

class JsonLine {
 public:
  JsonLine& add(std::string_view name, std::string_view text) { return key(name), quoted(text), *this; }
  JsonLine& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  JsonLine& add(std::string_view name, bool yes) { return key(name), line_ += yes ? "true" : "false", *this; }
  JsonLine& add(std::string_view name, std::integral auto n) { return key(name), line_ += std::to_string(n), *this; }
  JsonLine& add(std::string_view name, double x) {
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", x);
    return key(name), line_ += text, *this;
  }
  JsonLine& add(std::string_view name, const std::vector<std::string>& texts) {
    key(name);
    line_ += '[';
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (i > 0) line_ += ',';
      quoted(texts[i]);
    }
    line_ += ']';
    return *this;
  }
  void print(std::FILE* out) {
    line_ += "}\n";
    std::fwrite(line_.data(), 1, line_.size(), out);
    std::fflush(out);
  }

 private:
  void key(std::string_view name) {
    line_ += line_.size() > 1 ? "," : "";
    quoted(name);
    line_ += ':';
  }
  void quoted(std::string_view text) {
    line_ += '"';
    for (const char c : text) {
      const auto octet = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        line_ += '\\';
        line_ += c;
      } else if (octet < 0x20 || octet == 0x7f) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", octet);
        line_ += escape;
      } else {
        line_ += c;
      }
    }
    line_ += '"';
  }
  std::string line_ = "{";
};

}  // namespace ghmesh::libp2p::devtool
