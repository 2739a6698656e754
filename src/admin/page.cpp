// SPDX-License-Identifier: Apache-2.0
#include "admin/page.hpp"

#include <algorithm>

#include "http/coding/coding.hpp"
#include "http/message/etag.hpp"

namespace ghmesh::admin {
namespace {

// Scripts, styles, pictures and connections of this listener; nothing inline, nothing else, no frame around it.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

}  // namespace

const PageFile* find_page(std::string_view path) {
  const std::span files = page_files();
  const auto found = std::ranges::find(files, path, &PageFile::path);
  return found == files.end() ? nullptr : &*found;
}

PageAnswer answer_page(const PageFile& file, http::FieldsView request) {
  const bool zipped = http::coding::accepts(request.joined("Accept-Encoding"), http::coding::Coding::Gzip);
  // Two representations, two strong tags (RFC 9110 §8.8.3.3).
  const std::string tag = "\"" + std::string(file.tag) + (zipped ? "-gzip\"" : "\"");
  PageAnswer answer;
  // Kept by the browser, asked about each time: files of two versions never meet.
  answer.fields = {{"Content-Type", file.type},
                   {"Cache-Control", "no-cache"},
                   {"ETag", tag},
                   {"Vary", "Accept-Encoding"},
                   {"X-Content-Type-Options", "nosniff"},
                   {"Content-Security-Policy", kPolicy},
                   {"Cross-Origin-Opener-Policy", "same-origin"},
                   {"Cross-Origin-Resource-Policy", "same-origin"},
                   {"Referrer-Policy", "no-referrer"}};
  const std::string held = request.joined("If-None-Match");
  if (http::parse_etag_list(held).weak_contains({.weak = false, .opaque = tag})) {
    answer.status = 304;
    return answer;
  }
  if (zipped) answer.fields.add("Content-Encoding", "gzip");
  answer.body = zipped ? file.zipped : file.plain;
  return answer;
}

}  // namespace ghmesh::admin
