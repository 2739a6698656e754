// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

// The state behind the API: repositories and the documents at their paths, as the bytes GitHub would send. A document
// is an object, a text or a list; changing an object changes the list it stands in, as a write on GitHub does. Paths
// are canonical: no query, repositories under their present name, segments not percent-encoded. One thread.

namespace ghmesh::standin {

struct Repository {
  std::uint64_t id = 0;
  std::string full_name;
  bool is_private = false;
};

// What an element of a list can be asked for by: state=open, branch=main, …
using Facets = std::map<std::string, std::string, std::less<>>;

struct Item {
  std::string body;  // compact JSON
  std::string url;   // what ties it to its own document; "" if it has none
  Facets facets;
};

struct Document {
  std::string body;  // compact JSON or text, whole; for lists all items
  std::string type = "application/json; charset=utf-8";
  // Other forms: by media parameter ("raw", "diff", "patch", "html", "sha", "object", …) or API version ("2026-03-10").
  std::map<std::string, std::string, std::less<>> variants;
  std::optional<WallTime> modified;  // Last-Modified; lists have none
  bool is_list = false;
  std::string wrapper;      // {"total_count":N,"<wrapper>":[…]}; "" for a bare array
  std::vector<Item> items;  // of lists
  bool needs_token = false;
  bool tagged = true;         // has ETag and max-age; false as for alerts
  std::uint32_t pending = 0;  // so many 202 before the first 200 (statistics)
  std::string redirect;       // 302 to the storage host: the blob's name
};

class World {
 public:
  // The repository of that name, made if there is none; id 0 picks one. Names compare without case.
  Repository& add_repository(std::string_view full_name, bool is_private = false, std::uint64_t id = 0);
  const Repository* repository(std::string_view full_name) const;
  const Repository* repository(std::uint64_t id) const;
  // Moves every document; the old name goes on answering 301. False if there is no such repository.
  bool rename(std::string_view from, std::string_view to);
  // The repository that now carries what once was called so.
  const Repository* renamed(std::string_view old_name) const;
  bool set_private(std::string_view full_name, bool is_private);
  std::size_t repository_count() const { return repositories_.size(); }

  const Document* find(std::string_view path) const;
  Document* find(std::string_view path);
  const std::map<std::string, Document, std::less<>>& documents() const { return documents_; }

  // A document as given; replaces what was there and touches nothing else.
  Document& put(std::string_view path, Document document);
  // JSON at a path: an array becomes a list, an object with total_count and one array a wrapped list, anything else an
  // object. The bytes are kept as they are.
  Document& put_json(std::string_view path, std::string_view compact, WallTime now);

  // An object changes, and with it the element of the list it stands in (at the front if it is new there).
  void set_object(std::string_view path, std::string_view compact, WallTime now);
  // A new last element. False if there is no list at the path.
  bool append(std::string_view path, std::string_view compact);
  // A new first element: lists of issues, runs and commits show the newest first.
  bool prepend(std::string_view path, std::string_view compact);
  // updated_at becomes now (a member "touched" where there is none): other bytes, same thing. False if nothing is
  // there.
  bool touch(std::string_view path, WallTime now);
  // The document and its element in a list. False if nothing was there.
  bool remove(std::string_view path);

  // Contents behind signed URLs.
  void put_blob(std::string_view name, std::string content, std::string type = "application/octet-stream");
  const Document* blob(std::string_view name) const;

  // The lists that hold an object of this path and body: its folder, or where its kind lives.
  static std::vector<std::string> lists_of(std::string_view path, std::string_view compact);
  static Item make_item(std::string_view compact);
  // Bytes of a list that holds these items.
  static std::string compose(const std::string& wrapper, std::size_t total, const std::vector<const Item*>& items);

 private:
  void update_list(std::string_view list, const Item& item, bool add_if_absent);
  void refresh(Document& list);

  std::map<std::string, Repository, std::less<>> repositories_;  // by lower-case name
  std::map<std::string, std::uint64_t, std::less<>> old_names_;  // lower-case
  std::map<std::string, Document, std::less<>> documents_;
  std::map<std::string, Document, std::less<>> blobs_;
  std::uint64_t next_id_ = 1296269;
};

}  // namespace ghmesh::standin
