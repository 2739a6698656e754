// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "http/message/fields.hpp"

// The dashboard, one page for people: its files are bytes of the program (web/ has their sources, page_files.cmake puts
// them here). Nothing it needs comes from elsewhere, and its policy forbids the browser to try. Values; any thread.

namespace ghmesh::admin {

struct PageFile {
  std::string_view path;  // "/page.js"
  std::string_view type;
  std::string_view tag;  // of its content
  std::string_view plain;
  std::string_view zipped;  // gzip
};

std::span<const PageFile> page_files();
const PageFile* find_page(std::string_view path);

// Views point into the program.
struct PageAnswer {
  int status = 200;
  http::Fields fields;
  std::string_view body;
};
// As gzip where the reader takes it; 304 where it holds these very octets (RFC 9110 §13.1.2).
PageAnswer answer_page(const PageFile& file, http::FieldsView request);

}  // namespace ghmesh::admin
