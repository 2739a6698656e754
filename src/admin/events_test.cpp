// SPDX-License-Identifier: Apache-2.0
// The stream of events over a real server and a pipe in memory; the clock is the test's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/admin.hpp"
#include "admin/event_hub.hpp"
#include "http/server/server.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"

namespace ghmesh::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

Limits small() {
  Limits limits;
  limits.listeners = 3;
  limits.rare_events = 4;
  limits.request_events = 8;
  limits.hit_events_per_second = 2;
  limits.request_events_per_second = 3;
  return limits;
}

struct EventsTest : testing::Test {
  io::ManualLoop loop;
  metrics::Registry registry;
  int asked_stats = 0;
  bool watched = false;
  EventHub hub{
      loop,
      "b00t",
      {[this] { return "{\"n\":" + std::to_string(++asked_stats) + "}\n"; }, [this](bool on) { watched = on; }},
      registry,
      small()};

  static std::array<bool, kEventKinds> all() {
    std::array<bool, kEventKinds> out;
    out.fill(true);
    return out;
  }
  void request(const char* answer, const char* path, std::uint32_t calls) {
    RequestEvent event;
    event.answer = answer;
    event.cls = "default";
    event.method = "GET";
    event.path = path;
    event.status = 200;
    event.upstream_calls = calls;
    event.upstream_status = calls > 0 ? 200 : 0;
    event.charged = calls;
    event.seconds = 0.25;
    hub.on_request(calls, [&] { return event; });
  }
  static std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  }
};

TEST_F(EventsTest, NothingIsAskedWhileNobodyListens) {
  loop.advance(10s);
  EXPECT_EQ(asked_stats, 0);
  EXPECT_FALSE(watched);
}

TEST_F(EventsTest, AReaderIsGreetedAndToldOfRequestsAndStatistics) {
  EventHub::Listener listener(hub, "", all(), true);
  EXPECT_TRUE(watched);
  std::string text = listener.take();
  EXPECT_THAT(
      text,
      HasSubstr("event: hello\ndata: {\"at\":1767225600000,\"boot\":\"b00t\",\"resumed\":false,\"missed\":0}\n\n"));
  EXPECT_THAT(text, HasSubstr("event: stats\ndata: {\"n\":1}\n\n"));
  request("miss", "/repos/o/r\n", 1);
  EXPECT_EQ(listener.take(),
            "id: b00t-1\nevent: request\ndata: "
            "{\"at\":1767225600000,\"answer\":\"miss\",\"class\":\"default\",\"method\":\"GET\","
            "\"status\":200,\"seconds\":0.25,\"upstream_status\":200,\"upstream_calls\":1,\"charged\":1,"
            "\"path\":\"/repos/o/r\\n\"}\n\n");
  EXPECT_EQ(listener.take(), "");
  loop.advance(1s);
  EXPECT_EQ(listener.take(), "event: stats\ndata: {\"n\":2}\n\n");
}

TEST_F(EventsTest, PathsAreNotForEverybody) {
  EventHub::Listener listener(hub, "", all(), false);
  request("miss", "/repos/o/private", 1);
  const std::string text = listener.take();
  EXPECT_THAT(text, HasSubstr("event: request"));
  EXPECT_THAT(text, Not(HasSubstr("private")));
}

TEST_F(EventsTest, OnlyTheKindsThatAreWanted) {
  std::array<bool, kEventKinds> wanted{};
  wanted[static_cast<std::size_t>(EventKind::Peer)] = true;
  EventHub::Listener listener(hub, "", wanted, true);
  request("miss", "/a", 1);
  hub.publish(EventKind::Peer, "\"peer\":\"x\"");
  hub.publish(EventKind::Store, "\"state\":\"full\"");
  const std::string text = listener.take();
  EXPECT_THAT(text, HasSubstr("id: b00t-2\nevent: peer\n"));
  EXPECT_THAT(text, Not(HasSubstr("event: request")));
  EXPECT_THAT(text, Not(HasSubstr("event: s")));
}

TEST_F(EventsTest, RatesAreBoundedAndTheRestIsCounted) {
  EventHub::Listener listener(hub, "", all(), true);
  for (int i = 0; i < 100; ++i) request("memory", "/hit", 0);
  for (int i = 0; i < 100; ++i) request("miss", "/miss", 1);
  std::string text = listener.take();
  EXPECT_EQ(count(text, "\"answer\":\"memory\""), 2u);
  EXPECT_EQ(count(text, "\"answer\":\"miss\""), 3u);
  EXPECT_THAT(text, HasSubstr("\"skipped\":98"));
  loop.advance(1s);
  request("memory", "/hit", 0);
  EXPECT_THAT(listener.take(), HasSubstr("\"skipped\":97"));
}

TEST_F(EventsTest, AReaderThatComesBackGetsWhatItMissed) {
  std::string last;
  {
    EventHub::Listener listener(hub, "", all(), true);
    request("miss", "/1", 1);
    EXPECT_THAT(listener.take(), HasSubstr("id: b00t-1\n"));
  }
  request("miss", "/2", 1);  // still kept for a moment
  hub.publish(EventKind::Breaker, "\"state\":\"tripped\"");
  EventHub::Listener again(hub, "b00t-1", all(), true);
  const std::string text = again.take();
  EXPECT_THAT(text, HasSubstr("\"resumed\":true,\"missed\":0"));
  EXPECT_THAT(text, HasSubstr("id: b00t-2\nevent: request\n"));
  EXPECT_THAT(text, HasSubstr("id: b00t-3\nevent: breaker\n"));
  EXPECT_EQ(count(text, "\nevent: request\n"), 1u);
}

TEST_F(EventsTest, IdsOfAnotherRunOrOfNobodyResumeNothing) {
  hub.publish(EventKind::Peer, "\"peer\":\"x\"");
  for (const char* id : {"", "0ther-1", "b00t-", "b00t-x", "b00t-2", "b00t-18446744073709551616", "b00t", "-1"}) {
    EventHub::Listener listener(hub, id, all(), true);
    const std::string text = listener.take();
    EXPECT_THAT(text, HasSubstr("\"resumed\":false")) << id;
    EXPECT_THAT(text, HasSubstr("event: peer\n")) << id;  // rare events are shown to new readers, too
  }
}

TEST_F(EventsTest, RingsAreBoundedAndALateReaderIsTold) {
  EventHub::Listener listener(hub, "", all(), true);
  listener.take();
  for (int i = 0; i < 10; ++i) hub.publish(EventKind::Peer, "\"i\":" + std::to_string(i));
  const std::string text = listener.take();
  EXPECT_THAT(text, HasSubstr("event: missed\ndata: {\"at\":1767225600000,\"missed\":6}\n\n"));
  EXPECT_EQ(count(text, "event: peer\n"), 4u);
  EXPECT_THAT(text, HasSubstr("\"i\":9}"));
}

TEST_F(EventsTest, WatchingEndsAMomentAfterTheLastReader) {
  {
    EventHub::Listener listener(hub, "", all(), true);
  }
  loop.advance(1s);
  EXPECT_TRUE(watched);
  EXPECT_EQ(asked_stats, 1);
  loop.advance(Limits().resume_grace + 1s);
  EXPECT_FALSE(watched);
  EXPECT_EQ(asked_stats, 1);
}

// ---- Over HTTP.

struct EmptySource final : AdminSource {
  std::optional<std::string> not_ready() const override { return std::nullopt; }
  Stats stats() const override { return {}; }
  std::vector<QuotaRow> quota() const override { return {}; }
  ActivityView activity() const override { return {}; }
  io::Task<Result<Explanation>> explain(Explained) override { co_return Explanation{}; }
  io::Task<Result<std::uint64_t>> purge(std::string, bool) override { co_return 0; }
};

struct StreamTest : EventsTest {
  EmptySource source;
  Admin admin{source, hub, registry, io::Endpoint{io::IpAddress::loopback(), 8417}, small()};
  http::server::Server server{loop, admin};

  std::unique_ptr<io::Stream> open(const std::string& target, const std::string& more = {}) {
    auto [ours, theirs] = io::make_pipe(loop);
    server.adopt(std::move(theirs));
    const std::string text = "GET " + target + " HTTP/1.1\r\nHost: localhost:8417\r\n" + more + "\r\n";
    const iovec part{const_cast<char*>(text.data()), text.size()};
    EXPECT_EQ(ours->try_write({&part, 1}).bytes, text.size());
    loop.run_until_idle();
    return std::move(ours);
  }
  std::string read(io::Stream& stream) {
    loop.run_until_idle();
    std::string got;
    Bytes room(64 * 1024);
    while (true) {
      const io::IoStatus status = stream.try_read(room);
      if (status.kind != io::IoStatus::Done) break;
      got += as_text(ByteView(room).first(status.bytes));
      loop.run_until_idle();
    }
    return got;
  }
};

TEST_F(StreamTest, EventsComeAsTheyHappenAndTheEndIsClean) {
  const auto stream = open("/api/events");
  const std::string head = read(*stream);
  EXPECT_THAT(head, HasSubstr("HTTP/1.1 200 "));
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(head, HasSubstr("event: hello\n"));
  hub.publish(EventKind::Quota, "\"remaining\":0");
  EXPECT_THAT(read(*stream), HasSubstr("event: quota\ndata: {\"at\":1767225600000,\"remaining\":0}\n\n"));
  EXPECT_EQ(hub.listeners(), 1u);
  hub.close();
  EXPECT_THAT(read(*stream), testing::EndsWith("0\r\n\r\n"));
  EXPECT_EQ(hub.listeners(), 0u);
}

TEST_F(StreamTest, SilenceIsBrokenByAComment) {
  const auto stream = open("/api/events?kinds=peer");
  read(*stream);
  loop.advance(small().heartbeat + 1s);
  EXPECT_THAT(read(*stream), HasSubstr(":\n\n"));
}

TEST_F(StreamTest, UnknownKindsAndTooManyReadersAreRefused) {
  for (const char* bad : {"?kinds=peers", "?kinds=%", "?kinds=peer,x"})
    EXPECT_THAT(read(*open(std::string("/api/events") + bad)), HasSubstr("HTTP/1.1 400 ")) << bad;
  std::vector<std::unique_ptr<io::Stream>> held;
  for (std::size_t i = 0; i < small().listeners; ++i) held.push_back(open("/api/events"));
  EXPECT_THAT(read(*open("/api/events")), HasSubstr("HTTP/1.1 503 "));
  held.clear();
  loop.advance(2s);
  EXPECT_EQ(hub.listeners(), 0u);
  EXPECT_THAT(read(*open("/api/events")), HasSubstr("HTTP/1.1 200 "));
}

TEST_F(StreamTest, AReaderThatTakesNothingIsCut) {
  const auto stream = open("/api/events");
  const std::string large(4096, 'x');
  for (int i = 0; i < 200; ++i) {
    hub.publish(EventKind::Peer, "\"peer\":\"" + large + "\"");
    loop.run_until_idle();
  }
  EXPECT_EQ(hub.listeners(), 1u);
  loop.advance(server.limits().send_stall + 1s);
  loop.run_until_idle();
  EXPECT_EQ(hub.listeners(), 0u);
  EXPECT_EQ(registry.counter("ghmesh_event_listeners_dropped_total", "").value(), 1u);
}

}  // namespace
}  // namespace ghmesh::admin
