// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "http/message/fields.hpp"
#include "io/endpoint.hpp"

// Which requests the admin listener takes from a browser's neighbourhood. Rationale: a page of any site can make the
// browser of someone at this machine send requests to a loopback port. A name of the attacker's that resolves to
// 127.0.0.1 (DNS rebinding) shows in Host; a request across sites shows in Origin or Sec-Fetch-Site. Scripts and
// monitors send neither and ask for an address or localhost.

namespace ghmesh::admin {

// Whether Host names this listener: localhost, a loopback address, the address it is bound to, or, if that is every
// address, any address literal (a name could be anybody's).
bool is_our_host(std::string_view host_field, const io::Endpoint& bound);

// The reason to refuse, or an empty text.
std::string_view refusal(http::FieldsView fields, const io::Endpoint& bound);

}  // namespace ghmesh::admin
