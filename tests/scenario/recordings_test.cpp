// SPDX-License-Identifier: Apache-2.0
#include "standin/recordings.hpp"

#include <set>

#include "github/etag.hpp"
#include "stage.hpp"
#include "standin/tag.hpp"

// GitHub's own answers, several hundred of them, through the formula and through the whole path.

namespace ghmesh::scenario {
namespace {

class Recordings : public Stage {};

// The node's tag and the stand-in's were written from the same description by different hands.
TEST(RecordedBodies, TheFormulaIsOneOnEveryBody) {
  const http::Fields request{{"Accept", "application/vnd.github+json"}, {"Authorization", kAlice}};
  const crypto::Sha256 prefix = github::etag_prefix(github::canonicalise("GET", request));
  std::set<std::string> bodies;
  for (const standin::Recording& recording : standin::recordings()) {
    if (!bodies.insert(recording.body).second) continue;
    EXPECT_EQ(github::etag_of(prefix, as_bytes(recording.body)),
              standin::compute_tag(standin::TagFormula::Measured, request, recording.body))
        << recording.path;
  }
  EXPECT_GE(bodies.size(), 613u);
}

// One token brings an answer, another gets the same bytes for nothing: for every recorded answer that takes part.
TEST_F(Recordings, EveryAnswerThatTakesPartIsSharedByteForByte) {
  const std::vector<std::string> recorded = standin::mount_recordings(github.world);
  Node& n = node();
  std::size_t proved = 0, equal_to_direct = 0, answered = 0;
  for (const std::string& path : recorded) {
    const Got first = get(n, path, kAlice);
    const Got second = get(n, path, kCarol);
    const standin::Response direct = this->direct({"GET", path, kCarol});
    if (first.status != 200 || direct.status != 200) continue;
    ++answered;
    EXPECT_EQ(second.status, 200) << path;
    EXPECT_EQ(second.body, direct.body) << path;
    equal_to_direct += second.body == direct.body ? 1u : 0u;
    proved += second.from("detail=proof") ? 1u : 0u;
  }
  EXPECT_GE(answered, 250u);
  EXPECT_EQ(equal_to_direct, answered);
  // The others are fetched: what is the viewer's own, secrets, alerts, search, text, and full pages of lists that go by
  // cursors, whose end no probe can tell.
  EXPECT_GE(proved, 200u);
}

}  // namespace
}  // namespace ghmesh::scenario
