// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "http/http2/server.hpp"
#include "http/server/server.hpp"
#include "proxy/authority.hpp"
#include "tls/local_authority.hpp"
#include "trust_files.hpp"

// Answers HTTPS in the API's name: TLS with a leaf of the local CA inside a CONNECT, then HTTP of the version the
// client agreed on, then the same request path as without TLS. The hosts are those of the leaf; a request for another
// one is 421, and there is no CONNECT inside. On an Enterprise Server's host that is more than its API: git's bodies
// come here as well, hence the bounds below. One loop.

namespace ghmesh::node {

struct HttpsDoorOptions {
  std::vector<std::string> names;  // what the CA may sign for
  std::string directory;           // --ca-out
  std::vector<std::string> user_roots;
  // At least so long may a request's body be silent, and take as a whole.
  Duration body_idle{};
  Duration body_total{};
};

class HttpsDoor {
 public:
  // Makes the CA and writes what clients are to trust. The rest must outlive the door; handler answers the requests.
  static Result<std::unique_ptr<HttpsDoor>> open(io::Loop& loop, http::server::Handler& handler,
                                                 const proxy::AuthorityRules& authorities,
                                                 const HttpsDoorOptions& options, log::Logger logger);
  // Removes the files.
  ~HttpsDoor();

  // One client's connection, from its ClientHello to its end.
  io::Task<> answer(std::unique_ptr<io::Stream> stream);
  // Tells the connections that answer() serves to end after their present request. They end in answer()'s callers.
  io::Task<> drain();

 private:
  class Inside;
  HttpsDoor(io::Loop& loop, http::server::Handler& handler, const proxy::AuthorityRules& authorities,
            const HttpsDoorOptions& options, log::Logger logger);
  void renew();

  io::Loop& loop_;
  log::Logger logger_;
  std::unique_ptr<tls::LocalAuthority> authority_;
  TrustFiles files_;
  io::Timer renewal_;
  std::unique_ptr<Inside> inside_;
  http::server::Server http1_;
  http::http2::Server http2_;
  bool told_of_distrust_ = false;
};

}  // namespace ghmesh::node
