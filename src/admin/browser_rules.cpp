// SPDX-License-Identifier: Apache-2.0
#include "browser_rules.hpp"

#include "http/message/url.hpp"

namespace ghmesh::admin {

bool is_our_host(std::string_view host_field, const io::Endpoint& bound) {
  const auto authority = http::parse_authority(host_field);
  if (!authority) return false;
  std::string_view host = authority->host;
  if (http::iequals(host, "localhost")) return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = io::IpAddress::parse(host);
  if (!address) return false;
  return address->is_loopback() || bound.address.is_unspecified() || *address == bound.address;
}

std::string_view refusal(http::FieldsView fields, const io::Endpoint& bound) {
  const auto host = fields.first("Host");
  if (!host || !is_our_host(*host, bound)) return "this listener is asked by its address or as localhost";
  for (const http::Field& field : fields) {
    if (http::iequals(field.name, "Origin")) {
      // The origin of our own pages is exactly what the browser asked, over plain HTTP.
      if (!http::iequals(field.value, "http://" + std::string(*host))) return "requests from other sites are refused";
    } else if (http::iequals(field.name, "Sec-Fetch-Site")) {
      if (field.value != "same-origin" && field.value != "none") return "requests from other sites are refused";
    }
  }
  return {};
}

}  // namespace ghmesh::admin
