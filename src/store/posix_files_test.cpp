// SPDX-License-Identifier: Apache-2.0
// The real directory: attack A38 (links and strangers in the cache directory), locking, modes.
#include "store/posix_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "crypto/random.hpp"
#include "segment_format.hpp"
#include "store/tiered_store.hpp"
#include "temporary_directory.hpp"
#include "test_loop.hpp"
#include "test_records.hpp"

namespace ghmesh::store {
namespace {

namespace fs = std::filesystem;

class PosixFiles : public testing::Test {
 protected:
  std::string store_path() const { return scratch_.path() + "/a/b/store"; }
  mode_t mode_of(const std::string& path) const {
    struct stat info{};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  }
  Result<std::unique_ptr<TieredStore>> open_tiered(const std::string& path) {
    return TieredStore::open({.directory = path, .disk = {.limits = limits_}}, clock_, random_, loop_.post(), {});
  }

  TemporaryDirectory scratch_;
  Limits limits_{.disk_bytes = 8u << 20, .min_free_share = 0};
  SystemClock clock_;
  crypto::SecureRandom random_;
  TestLoop loop_;
};

TEST_F(PosixFiles, EverythingIsForTheOwnerAlone) {
  {
    auto store = open_tiered(store_path());
    ASSERT_TRUE(store);
    (*store)->put(test_entry(1));
  }
  EXPECT_EQ(mode_of(store_path()), 0700u);
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(store_path())) {
    EXPECT_EQ(mode_of(entry.path()), 0600u) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 5u);  // lock, key, intact, one segment, its hint
}

TEST_F(PosixFiles, A38_LinksAreRefused) {
  ASSERT_TRUE(open_posix_directory(store_path()));
  fs::create_directory_symlink(store_path(), scratch_.path() + "/link");
  for (const char* slash : {"", "/"}) {
    const auto opened = open_posix_directory(scratch_.path() + "/link" + slash);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::Refused);
  }
  const std::string target = scratch_.path() + "/precious";
  std::ofstream(target) << "precious";
  auto directory = open_posix_directory(store_path());
  ASSERT_TRUE(directory);
  fs::create_symlink(target, store_path() + "/soft");
  fs::create_hard_link(target, store_path() + "/hard");
  fs::create_directory(store_path() + "/folder");
  for (const char* name : {"soft", "hard", "folder"}) {
    const auto file = (*directory)->open(name, Directory::Mode::Read);
    ASSERT_FALSE(file) << name;
    EXPECT_EQ(file.error().code, ErrorCode::Refused) << name;
  }
  EXPECT_EQ((*directory)->open("soft", Directory::Mode::Create).error().code, ErrorCode::Conflict);
  // A link where a segment is expected is taken away; what it points to is not touched.
  {
    ASSERT_TRUE(open_tiered(store_path()));
  }
  fs::create_symlink(target, store_path() + "/" + segment_name(7));
  auto store = open_tiered(store_path());
  ASSERT_TRUE(store);
  EXPECT_GE((*store)->stats().foreign_files, 1u);
  EXPECT_FALSE(fs::exists(fs::symlink_status(store_path() + "/" + segment_name(7))));
  EXPECT_EQ(fs::file_size(target), 8u);
}

TEST_F(PosixFiles, A38_ALockThatIsALinkIsRefused) {
  ASSERT_TRUE(open_posix_directory(store_path()));
  const std::string target = scratch_.path() + "/precious";
  std::ofstream(target) << "precious";
  fs::create_symlink(target, store_path() + "/lock");
  const auto store = open_tiered(store_path());
  ASSERT_TRUE(store);
  EXPECT_TRUE((*store)->stats().degraded);
  EXPECT_EQ(fs::file_size(target), 8u);
}

TEST_F(PosixFiles, A38_ADirectoryOthersCanEnterIsRefused) {
  fs::create_directories(store_path());
  ::chmod(store_path().c_str(), 0750);
  const auto opened = open_posix_directory(store_path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::Refused);
  const auto store = open_tiered(store_path());
  ASSERT_TRUE(store);
  EXPECT_TRUE((*store)->stats().degraded);
  (*store)->put(test_entry(1));
  EXPECT_TRUE((*store)->find(test_key(1)));  // memory goes on
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a stranger's directory";
  ASSERT_EQ(::chmod(store_path().c_str(), 0700), 0);
  ASSERT_EQ(::chown(store_path().c_str(), 12345, 12345), 0);
  EXPECT_EQ(open_posix_directory(store_path()).error().code, ErrorCode::Refused);
}

TEST_F(PosixFiles, ASecondNodeIsToldWhoHasTheDirectory) {
  auto first = open_tiered(store_path());
  ASSERT_TRUE(first);
  const auto second = open_tiered(store_path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Conflict);
  EXPECT_NE(second.error().message.find("in use by process " + std::to_string(::getpid())), std::string::npos)
      << second.error().message;
  first->reset();
  EXPECT_TRUE(open_tiered(store_path()));
}

TEST_F(PosixFiles, AnUnusableDirectoryMeansMemoryOnly) {
  std::ofstream(scratch_.path() + "/file") << "x";
  const auto store = open_tiered(scratch_.path() + "/file");
  ASSERT_TRUE(store);
  EXPECT_TRUE((*store)->stats().degraded);
  (*store)->put(test_entry(1));
  EXPECT_TRUE((*store)->find(test_key(1)));
  EXPECT_FALSE((*store)->get_from_disk(test_key(2), [](EntryPtr) { FAIL(); }));
}

TEST_F(PosixFiles, ReadsBackWhatItWroteAndSaysWhereAFileEnds) {
  auto directory = open_posix_directory(store_path());
  ASSERT_TRUE(directory);
  auto file = (*directory)->open("x", Directory::Mode::Create);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write_at(3, to_bytes("hello")));
  Bytes out(10);
  EXPECT_EQ(*(*file)->read_at(0, out), 8u);
  EXPECT_EQ(*(*file)->read_at(100, out), 0u);
  EXPECT_EQ(*(*file)->size(), 8u);
  EXPECT_TRUE((*file)->sync());
  EXPECT_GT((*directory)->space()->total_bytes, 0u);
  EXPECT_EQ(*(*directory)->list(), std::vector<std::string>{"x"});
  EXPECT_EQ((*directory)->open("x", Directory::Mode::Create).error().code, ErrorCode::Conflict);
  EXPECT_TRUE((*directory)->remove("x"));
  EXPECT_EQ((*directory)->open("x", Directory::Mode::Read).error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace ghmesh::store
