// SPDX-License-Identifier: Apache-2.0
#include "proxy/candidates.hpp"

#include <algorithm>

namespace ghmesh::proxy {
namespace {

constexpr std::size_t kKeyBytes = 32;

// Collects the bodies of several entries, which come back in any order.
struct Gather {
  std::vector<github::Candidate> found;
  std::vector<std::size_t> places;
  std::size_t waiting = 0;
  std::function<void(std::vector<github::Candidate>)> done;

  void settle() {
    if (waiting > 0) return;
    std::erase_if(found, [](const github::Candidate& one) { return !one.body; });
    done(std::move(found));
  }
};

std::vector<store::Key> named_in(const store::EntryPtr& record) {
  std::vector<store::Key> out;
  if (!record) return out;
  for (std::size_t at = 0; at + kKeyBytes <= record->metadata.size(); at += kKeyBytes)
    std::copy_n(record->metadata.begin() + static_cast<std::ptrdiff_t>(at), kKeyBytes, out.emplace_back().begin());
  return out;
}

}  // namespace

void NodeCandidates::find(const github::Key& key, const github::Resource&, std::size_t max,
                          std::function<void(std::vector<github::Candidate>)> done) {
  auto gather = std::make_shared<Gather>();
  gather->done = std::move(done);
  const auto on_names = [this, gather, max](store::EntryPtr record) {
    std::vector<store::Key> names = named_in(record);
    if (names.size() > max) names.resize(max);
    gather->found.resize(names.size());
    gather->waiting = names.size() + 1;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const bool reading = store_.get(names[i], [gather, i](store::EntryPtr entry) {
        if (entry) gather->found[i].body = github::SharedBody(entry, &entry->body);
        --gather->waiting;
        gather->settle();
      });
      if (!reading) --gather->waiting;
    }
    --gather->waiting;
    gather->settle();
  };
  if (!store_.get(key, on_names)) gather->done({});
}

std::size_t NodeCandidates::known(const github::Key& key) const { return named_in(store_.find(key)).size(); }

store::EntryPtr NodeCandidates::newest(const github::Key& key) const {
  const std::vector<store::Key> names = named_in(store_.find(key));
  return names.empty() ? nullptr : store_.find(names.front());
}

void NodeCandidates::remember(const github::Key& key, const store::Key& entry_key,
                              const std::vector<store::GroupId>& groups) {
  // What memory does not have is not waited for: an older list of names on disk may be lost, and costs a candidate.
  std::vector<store::Key> names = named_in(store_.find(key));
  if (!names.empty() && names.front() == entry_key) return;
  std::erase(names, entry_key);
  names.insert(names.begin(), entry_key);
  if (names.size() > kNamed) names.resize(kNamed);
  store::Entry record;
  record.key = key;
  record.groups = groups;
  for (const store::Key& name : names) append(record.metadata, ByteView(name));
  store_.put(store::share(std::move(record)));
}

}  // namespace ghmesh::proxy
