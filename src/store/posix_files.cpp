// SPDX-License-Identifier: Apache-2.0
#include "store/posix_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

namespace ghmesh::store {
namespace {

constexpr const char* kLockName = "lock";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  explicit PosixFile(Descriptor fd) : fd_(std::move(fd)) {}

  Result<std::size_t> read_at(std::uint64_t offset, MutableByteView out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno(errno, "reading a store file");
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno(errno, "writing a store file");
      // A full disk writes short once before it says ENOSPC; going on brings out the error.
      if (n == 0) return fail_errno(ENOSPC, "writing a store file");
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  Result<> sync() override {
    if (::fdatasync(fd_.get()) != 0) return fail_errno(errno, "syncing a store file");
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat info{};
    if (::fstat(fd_.get(), &info) != 0) return fail_errno(errno, "examining a store file");
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  Descriptor fd_;
};

class PosixLock final : public DirectoryLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

// The rules for a file that lies in a directory of ours: nobody else may have put it there or reach it by another name.
Result<> check_ours(int fd, std::string_view name) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return fail_errno(errno, "examining a store file");
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::Refused, std::string(name) + " is not a regular file");
  if (info.st_uid != ::geteuid()) return fail(ErrorCode::Refused, std::string(name) + " belongs to another user");
  if (info.st_nlink > 1) return fail(ErrorCode::Refused, std::string(name) + " has a second hard link");
  return {};
}

class PosixDirectory final : public Directory {
 public:
  PosixDirectory(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::unique_ptr<File>> open(std::string_view name, Mode mode) override {
    auto fd = open_checked(name, mode == Mode::Create ? O_RDWR | O_CREAT | O_EXCL : O_RDONLY);
    if (!fd) return std::unexpected(std::move(fd.error()));
    return std::make_unique<PosixFile>(std::move(*fd));
  }

  Result<> remove(std::string_view name) override {
    if (::unlinkat(fd_.get(), std::string(name).c_str(), 0) != 0) return fail_errno(errno, "removing a store file");
    return {};
  }

  Result<std::vector<std::string>> list() override {
    const int copy = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return fail_errno(errno, "listing " + path_);
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(copy), ::closedir);
    if (!dir) {
      ::close(copy);
      return fail_errno(errno, "listing " + path_);
    }
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(dir.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name != "." && name != ".." && name != kLockName) names.emplace_back(name);
    }
    if (errno != 0) return fail_errno(errno, "listing " + path_);
    return names;
  }

  Result<> sync() override {
    if (::fsync(fd_.get()) != 0) return fail_errno(errno, "syncing " + path_);
    return {};
  }

  Result<Space> space() override {
    struct statvfs info{};
    if (::fstatvfs(fd_.get(), &info) != 0) return fail_errno(errno, "asking the free space of " + path_);
    return Space{std::uint64_t{info.f_blocks} * info.f_frsize, std::uint64_t{info.f_bavail} * info.f_frsize};
  }

  Result<std::unique_ptr<DirectoryLock>> lock() override {
    auto fd = open_checked(kLockName, O_RDWR | O_CREAT);
    if (!fd) return std::unexpected(std::move(fd.error()));
    // flock, not a pid file: the kernel lets go of it when the process dies, however it dies.
    if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return fail_errno(errno, "locking " + path_);
      char text[32] = {};
      const ssize_t n = ::pread(fd->get(), text, sizeof text - 1, 0);
      const std::string owner(text, n > 0 ? static_cast<std::size_t>(n) : 0);
      return fail(ErrorCode::Conflict, path_ + " is in use by process " +
                                           (owner.empty() ? std::string("unknown") : owner) +
                                           ": two nodes cannot share one store directory");
    }
    const std::string pid = std::to_string(::getpid());
    // Only for the message above; the lock holds without it, as on a full disk.
    if (::ftruncate(fd->get(), 0) == 0 && ::pwrite(fd->get(), pid.data(), pid.size(), 0) < 0) errno = 0;
    return std::make_unique<PosixLock>(std::move(*fd));
  }

 private:
  Result<Descriptor> open_checked(std::string_view name, int flags) {
    const int raw = ::openat(fd_.get(), std::string(name).c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (raw < 0) {
      const std::string what = "opening " + path_ + "/" + std::string(name);
      if (errno == ELOOP) return fail(ErrorCode::Refused, what + ": it is a symbolic link");
      if (errno == EEXIST) return fail(ErrorCode::Conflict, what + ": it exists");
      if (errno == ENOENT) return fail(ErrorCode::NotFound, what + ": no such file");
      return fail_errno(errno, what);
    }
    Descriptor fd(raw);
    if (auto ours = check_ours(raw, name); !ours) return std::unexpected(std::move(ours.error()));
    return fd;
  }

  Descriptor fd_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<Directory>> open_posix_directory(const std::string& path) {
  std::string clean = path;
  while (clean.size() > 1 && clean.back() == '/') clean.pop_back();  // a final slash would follow a link
  std::error_code ignored;                                           // mkdir below reports what matters
  const std::filesystem::path parent = std::filesystem::path(clean).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
  if (::mkdir(clean.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(errno, "making " + clean);
  const int raw = ::open(clean.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (raw < 0) {
    if (errno == ELOOP || errno == ENOTDIR)
      return fail(ErrorCode::Refused, clean + " is a symbolic link or not a directory");
    return fail_errno(errno, "opening " + clean);
  }
  Descriptor fd(raw);
  struct stat info{};
  if (::fstat(raw, &info) != 0) return fail_errno(errno, "examining " + clean);
  if (info.st_uid != ::geteuid()) return fail(ErrorCode::Refused, clean + " belongs to another user");
  if ((info.st_mode & 077) != 0)
    return fail(ErrorCode::Refused, clean + " is open to other users (its mode must be 0700)");
  return std::make_unique<PosixDirectory>(std::move(fd), clean);
}

}  // namespace ghmesh::store
