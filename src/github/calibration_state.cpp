// SPDX-License-Identifier: Apache-2.0
#include "github/calibration_state.hpp"

#include <algorithm>

namespace ghmesh::github {
namespace {

constexpr std::uint8_t kVersion = 1;

template <typename Unsigned>
void put(Bytes& out, Unsigned value) {
  out.resize(out.size() + sizeof(Unsigned));
  store_be(out.data() + out.size() - sizeof(Unsigned), value);
}
void put_time(Bytes& out, Duration time) {
  put(out, static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.count())));
}
void put_text(Bytes& out, std::string_view text) {
  put(out, static_cast<std::uint16_t>(text.size()));
  append(out, text);
}

// Takes from the front; after the first shortage everything is empty and ok is false.
struct Source {
  ByteView rest;
  bool ok = true;

  ByteView take(std::size_t count) {
    ok = ok && count <= rest.size();
    if (!ok) return {};
    const ByteView out = rest.first(count);
    rest = rest.subspan(count);
    return out;
  }
  template <typename Unsigned>
  Unsigned number() {
    const ByteView bytes = take(sizeof(Unsigned));
    return ok ? load_be<Unsigned>(bytes.data()) : Unsigned{};
  }
  Duration time() {
    const auto count = number<std::uint64_t>();
    ok = ok && count <= static_cast<std::uint64_t>(Duration::max().count());
    return ok ? Duration(static_cast<std::int64_t>(count)) : Duration{};
  }
  std::string text() {
    const auto size = number<std::uint16_t>();
    ok = ok && size <= kMaxSavedText;
    return to_text(take(ok ? size : 0));
  }
  std::size_t count() {
    const std::size_t out = number<std::uint16_t>();
    ok = ok && out <= kMaxSavedCells;
    return ok ? out : 0;
  }
};

bool fits(std::string_view host, std::string_view media_type, std::string_view name = {}) {
  return host.size() <= kMaxSavedText && media_type.size() <= kMaxSavedText && name.size() <= kMaxSavedText;
}

}  // namespace

Bytes encode(const CalibrationState& state) {
  Bytes out;
  put(out, kVersion);
  put_time(out, std::chrono::duration_cast<Duration>(state.saved.time_since_epoch()));
  put_time(out, state.all_left);
  put_time(out, state.all_delay);
  std::vector<const CalibrationState::Cell*> cells;
  for (const bool tripped : {true, false})
    for (const CalibrationState::Cell& cell : state.cells)
      if ((cell.phase == ProofPhase::Tripped) == tripped && cells.size() < kMaxSavedCells &&
          fits(cell.host, cell.media_type))
        cells.push_back(&cell);
  put(out, static_cast<std::uint16_t>(cells.size()));
  for (const CalibrationState::Cell* cell : cells) {
    put(out, static_cast<std::uint8_t>(cell->cls));
    put(out, static_cast<std::uint8_t>(cell->phase));
    put_time(out, cell->left);
    put_time(out, cell->delay);
    put_text(out, cell->host);
    put_text(out, cell->media_type);
  }
  std::vector<const CalibrationState::Family*> families;
  for (const CalibrationState::Family& family : state.families)
    if (families.size() < kMaxSavedCells && fits(family.host, family.media_type, family.name))
      families.push_back(&family);
  put(out, static_cast<std::uint16_t>(families.size()));
  for (const CalibrationState::Family* family : families) {
    put_time(out, family->left);
    put_text(out, family->host);
    put_text(out, family->media_type);
    put_text(out, family->name);
  }
  return out;
}

std::optional<CalibrationState> decode_calibration(ByteView bytes) {
  Source in{bytes};
  if (in.number<std::uint8_t>() != kVersion) return std::nullopt;
  CalibrationState out;
  out.saved = WallTime(std::chrono::duration_cast<WallTime::duration>(in.time()));
  out.all_left = in.time();
  out.all_delay = in.time();
  for (std::size_t left = in.count(); left > 0 && in.ok; --left) {
    CalibrationState::Cell& cell = out.cells.emplace_back();
    const auto cls = in.number<std::uint8_t>();
    const auto phase = in.number<std::uint8_t>();
    in.ok = in.ok && cls <= static_cast<std::uint8_t>(ResourceClass::PerUser) &&  // the others take no part
            phase <= static_cast<std::uint8_t>(ProofPhase::Tripped);
    if (!in.ok) break;
    cell.cls = static_cast<ResourceClass>(cls);
    cell.phase = static_cast<ProofPhase>(phase);
    cell.left = in.time();
    cell.delay = in.time();
    cell.host = in.text();
    cell.media_type = in.text();
  }
  for (std::size_t left = in.count(); left > 0 && in.ok; --left) {
    CalibrationState::Family& family = out.families.emplace_back();
    family.left = in.time();
    family.host = in.text();
    family.media_type = in.text();
    family.name = in.text();
  }
  if (!in.ok || !in.rest.empty()) return std::nullopt;
  return out;
}

}  // namespace ghmesh::github
