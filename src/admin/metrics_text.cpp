// SPDX-License-Identifier: Apache-2.0
#include "admin/metrics_text.hpp"

#include <cmath>

#include "http/message/fields.hpp"

namespace ghmesh::admin {

namespace {

constexpr std::string_view kTotal = "_total";

void append_escaped(std::string& out, std::string_view text, bool in_quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && in_quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // The shortest text that reads back as the same number.
  std::array<char, 32> room;
  const auto [end, error] = std::to_chars(room.data(), room.data() + room.size(), value);
  return std::string(room.data(), end);
}

class Writer {
 public:
  explicit Writer(MetricsFormat format) : format_(format) {}

  void family(const metrics::Family& family) {
    // OpenMetrics names a counter's family without the suffix that its samples carry; Prometheus names it with it.
    std::string name = family.name;
    const bool counter = family.kind == metrics::Kind::Counter;
    const bool suffixed = name.ends_with(kTotal);
    std::string sample = name;
    if (counter && format_ == MetricsFormat::OpenMetrics) {
      if (suffixed) name.resize(name.size() - kTotal.size());
      if (!suffixed) sample += kTotal;
    }
    static constexpr std::array<std::string_view, 3> kTypes{"counter", "gauge", "histogram"};
    out += "# HELP " + name + " ";
    append_escaped(out, family.help, format_ == MetricsFormat::OpenMetrics);
    out += "\n# TYPE " + name + " " + std::string(kTypes[static_cast<std::size_t>(family.kind)]) + "\n";
    if (family.collect)
      for (const metrics::Sample& one : family.collect()) line(sample, one.labels, number(one.value));
    for (const metrics::Instrument& instrument : family.instruments) {
      switch (family.kind) {
        case metrics::Kind::Counter: line(sample, instrument.labels, std::to_string(instrument.counter.value())); break;
        case metrics::Kind::Gauge:
          line(sample, instrument.labels, number(instrument.read ? instrument.read() : instrument.gauge.value()));
          break;
        case metrics::Kind::Histogram: histogram(sample, instrument); break;
      }
    }
  }

  std::string out;

 private:
  void line(std::string_view name, const metrics::Labels& labels, std::string_view value, std::string_view le = {}) {
    out += name;
    char separator = '{';
    const auto label = [&](std::string_view label_name, std::string_view label_value) {
      out += separator;
      separator = ',';
      out += label_name;
      out += "=\"";
      append_escaped(out, label_value, true);
      out += '"';
    };
    for (const auto& [label_name, label_value] : labels) label(label_name, label_value);
    if (!le.empty()) label("le", le);
    if (separator == ',') out += '}';
    out += ' ';
    out += value;
    out += '\n';
  }

  void histogram(const std::string& name, const metrics::Instrument& instrument) {
    // Counted while others count: buckets are summed here, so that the last equals the count that is shown.
    std::uint64_t below = 0;
    for (std::size_t i = 0; i <= metrics::Histogram::kBounds.size(); ++i) {
      below += instrument.histogram.bucket(i);
      const bool last = i == metrics::Histogram::kBounds.size();
      line(name + "_bucket", instrument.labels, std::to_string(below),
           last ? "+Inf" : number(metrics::Histogram::kBounds[i]));
    }
    line(name + "_sum", instrument.labels, number(instrument.histogram.sum()));
    line(name + "_count", instrument.labels, std::to_string(below));
  }

  MetricsFormat format_;
};

}  // namespace

MetricsFormat choose_format(std::string_view accept) {
  bool open = false;
  http::for_each_member(accept, [&](std::string_view member) {
    open = open || http::iequals(http::trim(member.substr(0, member.find(';'))), "application/openmetrics-text");
  });
  return open ? MetricsFormat::OpenMetrics : MetricsFormat::Prometheus;
}

std::string_view content_type(MetricsFormat format) {
  return format == MetricsFormat::OpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                              : "text/plain; version=0.0.4; charset=utf-8";
}

std::string format_metrics(const metrics::Registry& registry, MetricsFormat format) {
  Writer writer(format);
  registry.visit([&](const metrics::Family& family) { writer.family(family); });
  if (format == MetricsFormat::OpenMetrics) writer.out += "# EOF\n";
  return std::move(writer.out);
}

}  // namespace ghmesh::admin
