// SPDX-License-Identifier: Apache-2.0
#include "standin/world.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "http/message/fields.hpp"
#include "json.hpp"
#include "standin/coding.hpp"

namespace ghmesh::standin {
namespace {

// The one array of {"total_count":N,"runs":[…]}, or "".
std::string wrapper_of(const Json& value) {
  if (!value.is_object() || !value.contains("total_count")) return {};
  std::string name;
  for (const auto& [key, member] : value.items()) {
    if (!member.is_array()) continue;
    if (!name.empty()) return {};
    name = key;
  }
  return value.size() == 2 ? name : std::string();
}

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(path.substr(0, slash == std::string_view::npos ? 0 : slash));
}

// The path part of an API URL inside a body.
std::string path_of_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::size_t slash = url.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string() : std::string(url.substr(slash));
}

void take_facets(const Json& value, Facets& facets) {
  for (const char* name :
       {"state", "status", "conclusion", "event", "head_branch", "head_sha", "name", "environment", "ref"}) {
    const std::string text = text_of(value, name);
    if (!text.empty()) facets[name] = text;
  }
  if (value.contains("head") && value["head"].is_object()) facets["head"] = text_of(value["head"], "label");
  if (value.contains("base") && value["base"].is_object()) facets["base"] = text_of(value["base"], "ref");
  if (!value.contains("labels") || !value["labels"].is_array()) return;
  std::string labels = ",";
  for (const Json& label : value["labels"]) labels.append(text_of(label, "name")).append(",");
  facets["labels"] = labels;
}

}  // namespace

Repository& World::add_repository(std::string_view full_name, bool is_private, std::uint64_t id) {
  const std::string key = http::to_lower(full_name);
  const auto found = repositories_.find(key);
  if (found != repositories_.end()) return found->second;
  old_names_.erase(key);
  Repository& r = repositories_[key];
  r.id = id != 0 ? id : next_id_++;
  r.full_name = std::string(full_name);
  r.is_private = is_private;
  return r;
}

const Repository* World::repository(std::string_view full_name) const {
  const auto found = repositories_.find(http::to_lower(full_name));
  return found == repositories_.end() ? nullptr : &found->second;
}

const Repository* World::repository(std::uint64_t id) const {
  for (const auto& [name, r] : repositories_)
    if (r.id == id) return &r;
  return nullptr;
}

const Repository* World::renamed(std::string_view old_name) const {
  const auto found = old_names_.find(http::to_lower(old_name));
  return found == old_names_.end() ? nullptr : repository(found->second);
}

bool World::set_private(std::string_view full_name, bool is_private) {
  const auto found = repositories_.find(http::to_lower(full_name));
  if (found == repositories_.end()) return false;
  found->second.is_private = is_private;
  return true;
}

bool World::rename(std::string_view from, std::string_view to) {
  const auto found = repositories_.find(http::to_lower(from));
  if (found == repositories_.end() || repository(to) != nullptr) return false;
  Repository r = found->second;
  const std::string old_root = "/repos/" + r.full_name;
  r.full_name = std::string(to);
  repositories_.erase(found);
  old_names_.erase(http::to_lower(to));
  repositories_[http::to_lower(to)] = r;
  old_names_[http::to_lower(from)] = r.id;

  std::vector<std::string> moving;
  for (auto it = documents_.lower_bound(old_root); it != documents_.end() && it->first.starts_with(old_root); ++it)
    if (it->first.size() == old_root.size() || it->first[old_root.size()] == '/') moving.push_back(it->first);
  for (const std::string& path : moving) {
    auto node = documents_.extract(path);
    node.key() = "/repos/" + r.full_name + path.substr(old_root.size());
    documents_.insert(std::move(node));
  }
  return true;
}

const Document* World::find(std::string_view path) const {
  const auto found = documents_.find(path);
  return found == documents_.end() ? nullptr : &found->second;
}
Document* World::find(std::string_view path) {
  const auto found = documents_.find(path);
  return found == documents_.end() ? nullptr : &found->second;
}

Document& World::put(std::string_view path, Document document) {
  return documents_[std::string(path)] = std::move(document);
}

Document& World::put_json(std::string_view path, std::string_view compact, WallTime now) {
  Document d;
  d.body = std::string(compact);
  const Json value = parse_json(compact);
  d.wrapper = wrapper_of(value);
  d.is_list = value.is_array() || !d.wrapper.empty();
  if (d.is_list) {
    const Json& array = value.is_array() ? value : value[d.wrapper];
    for (const Json& element : array) d.items.push_back(make_item(to_compact(element)));
  } else {
    d.modified = std::chrono::floor<std::chrono::seconds>(now);
  }
  return put(path, std::move(d));
}

Item World::make_item(std::string_view compact) {
  Item item;
  item.body = std::string(compact);
  const Json value = parse_json(compact);
  if (!value.is_object()) return item;
  item.url = text_of(value, "url");
  take_facets(value, item.facets);
  return item;
}

std::string World::compose(const std::string& wrapper, std::size_t total, const std::vector<const Item*>& items) {
  std::string out;
  if (!wrapper.empty()) out = "{\"total_count\":" + std::to_string(total) + ",\"" + wrapper + "\":";
  out.push_back('[');
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.push_back(',');
    out += items[i]->body;
  }
  out.push_back(']');
  if (!wrapper.empty()) out.push_back('}');
  return out;
}

void World::refresh(Document& list) {
  std::vector<const Item*> all;
  for (const Item& item : list.items) all.push_back(&item);
  list.body = compose(list.wrapper, all.size(), all);
}

std::vector<std::string> World::lists_of(std::string_view path, std::string_view compact) {
  std::vector<std::string> lists{folder_of(path)};
  const Json value = parse_json(compact);
  // Comments live beside their issue's number, not in their folder; pull requests are issues too.
  const std::string issue = path_of_url(text_of(value, "issue_url"));
  if (!issue.empty() && path.find("/comments/") != std::string_view::npos) lists.push_back(issue + "/comments");
  const std::string pull = path_of_url(text_of(value, "pull_request_url"));
  if (!pull.empty() && path.find("/comments/") != std::string_view::npos) lists.push_back(pull + "/comments");
  const std::size_t refs = path.find("/git/refs/");
  if (refs != std::string_view::npos) {
    lists.push_back(std::string(path.substr(0, refs)) + "/git/refs");
    lists.push_back(std::string(path.substr(0, refs)) + "/git/refs/");
  }
  return lists;
}

void World::update_list(std::string_view list, const Item& item, bool add_if_absent) {
  Document* d = find(list);
  if (d == nullptr || !d->is_list) return;
  const auto same =
      std::ranges::find_if(d->items, [&](const Item& other) { return !item.url.empty() && other.url == item.url; });
  if (same != d->items.end())
    *same = item;
  else if (add_if_absent)
    d->items.insert(d->items.begin(), item);
  else
    return;
  refresh(*d);
}

void World::set_object(std::string_view path, std::string_view compact, WallTime now) {
  const Document* old = find(path);
  const bool needs_token = old != nullptr && old->needs_token;
  put_json(path, compact, now).needs_token = needs_token;
  const Item item = make_item(compact);
  for (const std::string& list : lists_of(path, compact)) update_list(list, item, true);
}

bool World::append(std::string_view path, std::string_view compact) {
  Document* d = find(path);
  if (d == nullptr || !d->is_list) return false;
  d->items.push_back(make_item(compact));
  refresh(*d);
  return true;
}

bool World::prepend(std::string_view path, std::string_view compact) {
  Document* d = find(path);
  if (d == nullptr || !d->is_list) return false;
  d->items.insert(d->items.begin(), make_item(compact));
  refresh(*d);
  return true;
}

bool World::touch(std::string_view path, WallTime now) {
  Document* d = find(path);
  if (d == nullptr) return false;
  if (d->is_list) {
    if (d->items.empty()) return false;
    Json value = parse_json(d->items.front().body);
    if (!value.is_object()) return false;
    value[value.contains("updated_at") ? "updated_at" : "touched"] = iso_date(now);
    d->items.front() = make_item(to_compact(value));
    refresh(*d);
    return true;
  }
  Json value = parse_json(d->body);
  if (!value.is_object()) {
    d->body += "\n";
    d->modified = now;
    return true;
  }
  value[value.contains("updated_at") ? "updated_at" : "touched"] = iso_date(now);
  const std::map<std::string, std::string, std::less<>> variants = d->variants;
  set_object(path, to_compact(value), now);
  find(path)->variants = variants;
  return true;
}

bool World::remove(std::string_view path) {
  const auto found = documents_.find(path);
  if (found == documents_.end()) return false;
  const Item item = make_item(found->second.body);
  for (const std::string& list : lists_of(path, found->second.body)) {
    Document* d = find(list);
    if (d == nullptr || !d->is_list) continue;
    if (std::erase_if(d->items, [&](const Item& other) { return !item.url.empty() && other.url == item.url; }) > 0)
      refresh(*d);
  }
  documents_.erase(documents_.find(path));
  return true;
}

void World::put_blob(std::string_view name, std::string content, std::string type) {
  Document d;
  d.body = std::move(content);
  d.type = std::move(type);
  blobs_[std::string(name)] = std::move(d);
}

const Document* World::blob(std::string_view name) const {
  const auto found = blobs_.find(name);
  return found == blobs_.end() ? nullptr : &found->second;
}

}  // namespace ghmesh::standin
