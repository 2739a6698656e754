// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

namespace ghmesh::proxy {

// Bounds of the request path. Those of connections are http/server's and http/client's.
struct Limits {
  // Bodies up to here are read whole before the answer begins, so that it can carry a length, be indented or packed;
  // API answers are below it nearly always.
  static constexpr std::size_t kWholeBodyBytes = 256 * 1024;
  // The largest body that is kept: larger ones are streamed through (assets, archives, logs).
  static constexpr std::size_t kCacheableBodyBytes = 16 * 1024 * 1024;
  // What a packed body may grow to while it is streamed through: a git blob of GitHub's largest, 100 MiB, in base64 and
  // JSON, with room.
  static constexpr std::size_t kStreamedBodyBytes = 256 * 1024 * 1024;
  // All bodies being gathered at once; beyond it answers stream through unkept.
  static constexpr std::size_t kGatheredBytes = 32 * 1024 * 1024;
  // Smaller bodies are not worth packing for a client that accepts gzip (GitHub's own bound is near this).
  static constexpr std::size_t kPackFromBytes = 1024;
  // The largest GraphQL request that is read to see what it means; GitHub's own bound is of this order.
  static constexpr std::size_t kGraphqlRequestBytes = 1024 * 1024;
  // How long a request waits for what another token's request brings; as long as for one of its own token.
  static constexpr std::chrono::seconds kTurnWait{5};
  // Request heads whose plan is remembered, and the largest of them: a busy node's clients have some hundred questions
  // that they repeat, in heads of half a KiB. 3 MiB at most; as much again for the heads of their answers.
  static constexpr std::size_t kPlannedHeads = 1024;
  static constexpr std::size_t kPlannedHeadBytes = 2048;
  static constexpr std::size_t kReadyHeadBytes = 2048;
  // How often a request looks again after waiting for another's fetch before it goes alone.
  static constexpr int kLooks = 3;
  // A tunnel in which nothing moved for so long is closed.
  static constexpr std::chrono::minutes kTunnelIdle{10};
  // How long an absence (404) is believed: a burst of requests for the same missing thing costs one.
  static constexpr std::chrono::seconds kAbsenceLife{15};
  // Time to connect a tunnel.
  static constexpr std::chrono::seconds kTunnelConnect{10};
  // Tokens whose sealing keys are remembered: the job tokens of an hour.
  static constexpr std::size_t kSealers = 1024;
  // A repository counts as public for so long after it was seen to be, and how many are remembered.
  static constexpr std::chrono::minutes kPublicFor{10};
  static constexpr std::size_t kPublicRepositories = 4096;
  // A refusal that does not say for how long: GitHub asks for a minute.
  static constexpr std::chrono::seconds kUntoldPause{60};
  // Answers of members that are not what their seals say, after which GitHub is asked.
  static constexpr std::size_t kDisbelieved = 2;
  // How long an answer that must always be proved is handed on to members that were waiting for it.
  static constexpr std::chrono::milliseconds kJustFetched{250};
};

}  // namespace ghmesh::proxy
