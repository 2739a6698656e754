// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/network.hpp"
#include "standin/model.hpp"

// The model on real connections: HTTP and HTTPS over one loop, faults delivered as the model asks for them. For
// `ghmesh demo`, the program ghmesh-standin and tests in this language. One loop.

namespace ghmesh::standin {

struct DriverOptions {
  io::Endpoint at{io::IpAddress::loopback(), 0};
  bool https = true;  // with an authority and a certificate of its own, for localhost, 127.0.0.1 and GitHub's API hosts
  Duration latency{0};  // before every answer; also makes requests of one token overlap, as far away ones do
};

struct DriverAddresses {
  io::Endpoint http;
  io::Endpoint https;         // port 0 without https
  io::Endpoint storage;       // plain HTTP; where signed URLs point unless the model's settings name another host
  std::string authority_pem;  // to trust for https
};

class Driver {
 public:
  // Listens; model and loop must outlive the driver. Points the model's storage_base here if it has its default.
  static Result<std::unique_ptr<Driver>> start(io::Network& network, GithubModel& model, const DriverOptions& options);
  ~Driver();

  const DriverAddresses& addresses() const { return addresses_; }
  // Another way in, such as a unix socket.
  void listen(std::unique_ptr<io::Listener> listener);
  void set_latency(Duration latency);
  // Finishes what is in flight.
  io::Task<> drain();

 private:
  struct State;
  explicit Driver(std::unique_ptr<State> state);
  Result<> listen_https(io::Network& network, const DriverOptions& options);

  std::unique_ptr<State> state_;
  DriverAddresses addresses_;
};

}  // namespace ghmesh::standin
