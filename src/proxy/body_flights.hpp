// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <unordered_map>

#include "io/loop.hpp"
#include "io/sync.hpp"
#include "io/task.hpp"
#include "store/record.hpp"

// Who asks first, across tokens. Most bodies are the same for every token that may have them, so while one token's
// request for a resource is out, tokens that hold nothing of it wait for what it brings: then they prove it, for
// nothing, instead of each paying for a copy. While a class of resources still learns whether GitHub's tag can be
// relied on (calibration.hpp), what is here already cannot be proved yet: then only as many ask as are needed to learn,
// and the others wait for the verdict. Nobody waits longer than its deadline. Loop thread.

namespace ghmesh::proxy {

class BodyFlights {
  struct Flight;

 public:
  explicit BodyFlights(io::Loop& loop) : loop_(loop), learning_moved_(loop) {}
  BodyFlights(const BodyFlights&) = delete;
  BodyFlights& operator=(const BodyFlights&) = delete;

  enum class Waited {
    Brought,  // another request has brought a body, or had one vouched for
    Nothing,  // it came back without: no use in waiting for the next
    Look,     // something has moved: try again
    Late,     // the deadline passed
  };

  // The duty of the one who asks. Destroyed without a word it brought nothing. Must not outlive the table.
  class Turn {
   public:
    Turn() = default;
    Turn(Turn&& other) noexcept;
    Turn& operator=(Turn&& other) noexcept;
    ~Turn() { land(false); }
    explicit operator bool() const { return table_ != nullptr; }
    // brought: a body that others may prove lies in the store now.
    void land(bool brought) { land(brought ? Waited::Brought : Waited::Nothing); }
    // What came was for the one who asked alone, and says nothing about the others' chances.
    void step_aside() { land(Waited::Look); }

   private:
    friend class BodyFlights;
    void land(Waited outcome);

    BodyFlights* table_ = nullptr;
    std::shared_ptr<Flight> flight_;  // null for one that only helps to learn
    store::Key key_{};
    bool learning_ = false;
  };

  // key is the resource without the token. held: a body of another token is here. missing: matches that its class still
  // needs. An empty turn: wait.
  Turn try_take(const store::Key& key, bool held, std::size_t missing);

  io::Task<Waited> wait(store::Key key, std::size_t missing, TimePoint deadline);

  std::size_t waiting() const { return waiting_; }

 private:
  struct Flight {
    explicit Flight(io::Loop& loop) : landed(loop) {}
    io::Event landed;
    Waited outcome = Waited::Nothing;
  };
  bool may_learn(std::size_t missing);

  // Whoever got an answer goes on to ask for something else, which teaches as well and has to be paid anyway. Only
  // when nothing of that kind happened for so long are waiting requests spent on learning: one, then twice as many.
  static constexpr std::chrono::milliseconds kGrace{200};
  static constexpr std::size_t kMaxBatch = 16;

  io::Loop& loop_;
  std::unordered_map<store::Key, std::shared_ptr<Flight>, store::KeyHash> flights_;
  io::Event learning_moved_;
  std::size_t teaching_ = 0;  // requests on their way whose answer will be a check of the formula
  TimePoint quiet_since_{};
  std::size_t batch_ = 1;
  std::size_t allowance_ = 0;
  std::size_t learners_ = 0;  // waiting for the verdict
  std::size_t waiting_ = 0;
};

}  // namespace ghmesh::proxy
