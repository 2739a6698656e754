// SPDX-License-Identifier: Apache-2.0
// A peer's answer on loopback, from the question to the body in hand, after another member has fetched it and put it to
// its owner, as in a fleet; in the same run, alternating, a raw TCP echo of the same octets, and one by this project's
// loop and sockets alone; and what sealing and opening question and answer costs by itself (each twice: the
// connection's and the mesh's).
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <thread>

#include "crypto/aead.hpp"
#include "crypto/random.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "mesh/link/link.hpp"

namespace ghmesh::mesh {
namespace {

using multiformats::Multiaddr;

// A question is about so long on the wire, both layers sealed, and before that.
constexpr std::size_t kQuestion = 160, kQuestionText = 80;
// Fit the holder's shelf at the larger size.
constexpr std::size_t kAnswers = 2000;

// Octets that zstd cannot touch: what is measured goes over the wire whole.
Bytes body_of(std::size_t size, crypto::SecureRandom& random) {
  Bytes body(size);
  random.fill(body);
  return body;
}

ItemPtr item_of(std::size_t size, crypto::SecureRandom& random) {
  auto made = std::make_shared<Item>();
  random.fill(made->key);
  made->body = body_of(size, random);
  made->version = version_of(made->metadata, made->body);
  return made;
}

Freshness long_fresh() {
  Freshness fresh{.tag = {}, .fetched_at_ms = 1, .fresh_ms = 3'600'000, .left_ms = 3'600'000, .seal = {}};
  fresh.tag.fill(1);
  return fresh;
}

struct Node {
  explicit Node(io::EpollLoop& loop, bool reachable, std::vector<Multiaddr> contacts)
      : pool(1, "bench"),
        network(loop, pool),
        host(network, random, libp2p::HostOptions{.key = libp2p::PrivateKey::generate(random)}) {
    if (reachable) static_cast<void>(host.swarm().listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0")));
    LinkOptions options{.keys = {.current = MeshKeys::derive(Bytes(32, 1)), .also_accept = std::nullopt}};
    options.self.reachable = reachable;
    options.contacts = std::move(contacts);
    options.membership.owner_age = 0ms;
    link = std::make_unique<Link>(host, random, std::move(options));
    link->start();
  }
  crypto::SecureRandom random;
  io::WorkPool pool;
  io::SocketNetwork network;
  libp2p::Host host;
  std::unique_ptr<Link> link;
};

template <typename T>
T run(io::EpollLoop& loop, io::Task<T> task) {
  std::optional<T> out;
  io::TaskGroup tasks(loop);
  tasks.spawn([](io::Task<T> t, std::optional<T>& o) -> io::Task<void> { o.emplace(co_await std::move(t)); }(
                                                         std::move(task), out));
  loop.run_until([&] { return out.has_value(); }, 30s);
  return std::move(*out);
}

// The member that owns everything, on a thread of its own.
class Holder {
 public:
  Holder() {
    std::promise<Multiaddr> ready;
    thread_ = std::thread([this, &ready] {
      io::EpollLoop loop;
      loop_ = &loop;
      Node node(loop, true, {});
      ready.set_value(node.host.addresses().front());
      loop.run();
    });
    address = std::optional(ready.get_future().get());
  }
  ~Holder() {
    loop_->post_from_any_thread([this] { loop_->stop(); });
    thread_.join();
  }
  PeerId peer() const { return *libp2p::peer_of(*address); }
  std::optional<Multiaddr> address;

 private:
  io::EpollLoop* loop_ = nullptr;
  std::thread thread_;
};

// Reads a question, writes an answer; nothing else.
class Echo {
 public:
  explicit Echo(std::size_t answer) : answer_(answer), out_(kQuestion), in_(answer) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener, 1) != 0) std::abort();
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
    client_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(client_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) std::abort();
    server_ = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    for (const int fd : {client_, server_}) {
      const int yes = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    thread_ = std::thread([this] {
      Bytes in(kQuestion), out(answer_);
      while (read_all(server_, in))
        if (::write(server_, out.data(), out.size()) < 0) return;
    });
  }
  ~Echo() {
    ::shutdown(client_, SHUT_RDWR);
    thread_.join();
    ::close(client_);
    ::close(server_);
  }
  void round_trip() {
    if (::write(client_, out_.data(), out_.size()) < 0 || !read_all(client_, in_)) std::abort();
  }

 private:
  static bool read_all(int fd, MutableByteView into) {
    for (std::size_t done = 0; done < into.size();) {
      const ssize_t n = ::read(fd, into.data() + done, into.size() - done);
      if (n <= 0) return false;
      done += static_cast<std::size_t>(n);
    }
    return true;
  }
  std::size_t answer_;
  Bytes out_, in_;  // made once, as the far end's
  int client_ = -1, server_ = -1;
  std::thread thread_;
};

// The same by this project's loop and sockets on both sides, and nothing above them: what no mesh can be faster than.
class LoopEcho {
 public:
  LoopEcho(io::EpollLoop& loop, std::size_t answer) : pool_(1, "bench"), network_(loop, pool_) {
    std::promise<io::Endpoint> ready;
    thread_ = std::thread([this, answer, &ready] {
      io::EpollLoop far_loop;
      far_loop_ = &far_loop;
      io::WorkPool pool(1, "bench");
      io::SocketNetwork network(far_loop, pool);
      const auto listener = std::move(*network.listen({.address = io::IpAddress::v4(127, 0, 0, 1), .port = 0}));
      io::TaskGroup tasks(far_loop);
      tasks.spawn(serve(*listener, answer));
      ready.set_value(*listener->local_endpoint());
      far_loop.run();
    });
    stream_ = std::move(*run(loop, network_.dial(ready.get_future().get())));
    answer_.resize(answer);
  }
  ~LoopEcho() {
    far_loop_->post_from_any_thread([this] { far_loop_->stop(); });
    thread_.join();
  }
  io::Task<bool> round_trip() {
    const Bytes question(kQuestion);
    if (!co_await stream_->write_all(question)) co_return false;
    co_return (co_await stream_->read_exact(answer_)).has_value();
  }

 private:
  static io::Task<void> serve(io::Listener& listener, std::size_t answer) {
    auto stream = std::move(*co_await listener.accept());
    Bytes in(kQuestion), out(answer);
    while (co_await stream->read_exact(in))
      if (!co_await stream->write_all(out)) co_return;
  }
  io::WorkPool pool_;
  io::SocketNetwork network_;
  std::unique_ptr<io::Stream> stream_;
  Bytes answer_;
  io::EpollLoop* far_loop_ = nullptr;
  std::thread thread_;
};

double percentile(std::vector<double>& times, double p) {
  std::ranges::sort(times);
  return times[std::min(times.size() - 1, static_cast<std::size_t>(std::floor(p * static_cast<double>(times.size()))))];
}

double microseconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count();
}

double microseconds_of(const auto& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return microseconds_since(began);
}

double aead_microseconds(std::size_t size) {
  crypto::SecretKey32 key;
  crypto::Aead inner = crypto::Aead::aes256_gcm(key);
  crypto::Aead outer = crypto::Aead::chacha20_poly1305(key);
  Bytes buffer(size + 2 * crypto::Aead::kTagSize);
  const MutableByteView whole(buffer);
  std::vector<double> times;
  for (int i = 0; i < 200; ++i)
    times.push_back(microseconds_of([&] {
      inner.seal({}, {}, whole.first(size + crypto::Aead::kTagSize));
      outer.seal({}, {}, whole);
      benchmark::DoNotOptimize(outer.open({}, {}, whole));
      benchmark::DoNotOptimize(inner.open({}, {}, whole.first(size + crypto::Aead::kTagSize)));
    }));
  return percentile(times, 0.5);
}

// What an answer is kept in was in use before, as where a node has run for a while. The kernel takes 1.3 us to give a
// page that nobody has touched, of which an answer needs one or two, and whoever touches the heap's end first pays.
void use_memory_once(std::size_t bytes) {
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  std::vector<Bytes> blocks;
  for (std::size_t used = 0; used < bytes; used += 1u << 20) benchmark::DoNotOptimize(blocks.emplace_back(1u << 20, 1));
}

// Everything on one processor: on a quiet machine the kernel puts the raw echo's two threads on one and everybody
// else's on two, and what is measured then is how long an idle one takes to wake.
void stay_on_one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(::sched_getcpu(), &one);
  if (::sched_setaffinity(0, sizeof one, &one) != 0) std::abort();
}

void peer_answer(benchmark::State& state) {
  stay_on_one_processor();
  const auto size = static_cast<std::size_t>(state.range(0));
  crypto::SecureRandom random;
  // Each is asked for once: what came is held here from then on.
  std::vector<ItemPtr> items;
  for (std::size_t i = 0; i <= kAnswers; ++i) items.push_back(item_of(size, random));
  Holder holder;
  io::EpollLoop loop;
  Node fetcher(loop, false, {*holder.address}), asker(loop, false, {*holder.address});
  Echo echo(size);
  LoopEcho loop_echo(loop, size);
  const auto ready = [](const Node& node) {
    return node.link->mesh().stats().connected == 1 && !node.link->mesh().owners().empty();
  };
  if (!loop.run_until([&] { return ready(fetcher) && ready(asker); }, 30s)) {
    state.SkipWithError("the three did not meet");
    return;
  }
  for (const ItemPtr& item : items) {
    const FindResult found = run(loop, fetcher.link->find(item->key, long_fresh().tag, {}));
    fetcher.link->put(found.find, item, long_fresh());
  }
  // When the last one is there, so are the others.
  static_cast<void>(run(loop, asker.link->find(items.back()->key, long_fresh().tag, {})));
  const PeerId owner = holder.peer();
  std::vector<double> answers, echoes, loop_echoes;
  std::size_t next = 0;
  // Asked as a request asks: by a coroutine that runs already.
  const auto measure = [&]() -> io::Task<bool> {
    for (auto _ : state) {
      const ItemPtr& item = items[next++];
      auto began = std::chrono::steady_clock::now();
      const FindResult found = co_await asker.link->find(item->key, long_fresh().tag, {});
      answers.push_back(microseconds_since(began));
      if (found.kind != FindResult::Kind::Fresh || found.item->body.size() != size || found.from != owner)
        state.SkipWithError("no answer from the peer");
      echoes.push_back(microseconds_of([&] { echo.round_trip(); }));
      began = std::chrono::steady_clock::now();
      if (!co_await loop_echo.round_trip()) std::abort();
      loop_echoes.push_back(microseconds_since(began));
    }
    co_return true;
  };
  use_memory_once(2 * kAnswers * size);
  static_cast<void>(run(loop, measure()));
  const double aead = aead_microseconds(kQuestionText) + aead_microseconds(size);
  state.counters["p50_us"] = percentile(answers, 0.5);
  state.counters["p99_us"] = percentile(answers, 0.99);
  state.counters["echo_p50_us"] = percentile(echoes, 0.5);
  state.counters["echo_p99_us"] = percentile(echoes, 0.99);
  state.counters["loop_echo_p50_us"] = percentile(loop_echoes, 0.5);
  state.counters["aead_us"] = aead;
  // The bar: at most 1.5 once the ciphers' own time is taken off.
  state.counters["ratio_p50"] = (percentile(answers, 0.5) - aead) / percentile(echoes, 0.5);
}
BENCHMARK(peer_answer)->Arg(6 << 10)->Arg(16 << 10)->Iterations(kAnswers)->UseRealTime();

}  // namespace
}  // namespace ghmesh::mesh
