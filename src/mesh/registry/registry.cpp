// SPDX-License-Identifier: Apache-2.0
#include "registry.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "crypto/random.hpp"
#include "record_codec.hpp"

namespace ghmesh::mesh {
namespace {

constexpr std::string_view kLeaseName = ".cleaning";
constexpr std::string_view kTemporaryPrefix = ".new_";
constexpr std::string_view kAsidePrefix = ".old_";

WallTime modified(const struct stat& status) {
  return WallTime(std::chrono::seconds(status.st_mtim.tv_sec) +
                  std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(status.st_mtim.tv_nsec)));
}

std::string unique_suffix() {
  crypto::SecureRandom random;
  std::uint8_t raw[8];
  random.fill(raw);
  return to_hex(raw);
}

Result<void> write_whole(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return fail_errno(errno, "creating " + path);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      ::close(fd);
      ::unlink(path.c_str());
      return fail_errno(error, "writing " + path);
    }
    done += static_cast<std::size_t>(n);
  }
  // Before the rename: else a crash could leave a name with an empty file behind it.
  const bool synced = ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (synced) return {};
  ::unlink(path.c_str());
  return fail_errno(error, "syncing " + path);
}

struct Listed {
  std::string name;
  WallTime when;
};

// Regular files only counted by name; everything in the directory is looked at once.
std::vector<Listed> list_files(const std::string& directory) {
  std::vector<Listed> files;
  DIR* handle = ::opendir(directory.c_str());
  if (handle == nullptr) return files;
  while (const dirent* entry = ::readdir(handle)) {
    const std::string_view name(entry->d_name);
    if (name == "." || name == "..") continue;
    struct stat status{};
    if (::fstatat(::dirfd(handle), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    files.push_back({std::string(name), modified(status)});
  }
  ::closedir(handle);
  std::sort(files.begin(), files.end(), [](const Listed& a, const Listed& b) { return a.when > b.when; });
  return files;
}

bool is_record_name(std::string_view name) { return name.starts_with("peer_") && name.ends_with(".json"); }

// The text of a regular file of bounded size; nothing for anything else.
std::optional<std::string> read_small(const std::string& path, std::size_t max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  struct stat status{};
  std::optional<std::string> text;
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= static_cast<off_t>(max)) {
    std::string buffer(max + 1, '\0');
    std::size_t size = 0;
    ssize_t n = 0;
    while (size < buffer.size() && (n = ::read(fd, buffer.data() + size, buffer.size() - size)) > 0)
      size += static_cast<std::size_t>(n);
    if (n >= 0 && size <= max) {
      buffer.resize(size);
      text = std::move(buffer);
    }
  }
  ::close(fd);
  return text;
}

}  // namespace

Registry::Registry(std::string directory, const MeshKeys& keys, RegistryLimits limits)
    : directory_(std::move(directory)), key_(keys.registry.clone()), mesh_(keys.id), limits_(limits) {}

Result<Registry> Registry::open(std::string directory, const MeshKeys& keys, RegistryLimits limits) {
  for (std::size_t i = 1; i <= directory.size(); ++i) {
    if (i < directory.size() && directory[i] != '/') continue;
    const std::string part = directory.substr(0, i);
    if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST && i == directory.size())
      return fail_errno(errno, "making the registry directory " + directory);
  }
  struct stat status{};
  if (::stat(directory.c_str(), &status) != 0) return fail_errno(errno, "opening the registry directory " + directory);
  if (!S_ISDIR(status.st_mode)) return fail(ErrorCode::Io, directory + " is not a directory");
  return Registry(std::move(directory), keys, limits);
}

Result<void> Registry::publish(const libp2p::PrivateKey& key, RegistryRecord record, WallTime now) const {
  record.peer = libp2p::PeerId::from_key(key.public_key());
  record.last_seen = now;
  record.expires = now + std::chrono::duration_cast<WallTime::duration>(limits_.ttl);
  record.runner_name.resize(std::min(record.runner_name.size(), limits_.text_bytes));
  if (record.addresses.size() > limits_.addresses)
    record.addresses.erase(record.addresses.begin() + static_cast<std::ptrdiff_t>(limits_.addresses),
                           record.addresses.end());
  const std::string text = format_record(record, mesh_, key_, key);
  if (text.size() > limits_.file_bytes) return fail(ErrorCode::Limit, "the registry record is too large");
  const std::string temporary = path(std::string(kTemporaryPrefix) + unique_suffix());
  if (auto written = write_whole(temporary, text); !written) return written;
  const std::string name = path(file_name(record.peer));
  if (::rename(temporary.c_str(), name.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return fail_errno(error, "publishing " + name);
  }
  return {};
}

Result<void> Registry::withdraw(const libp2p::PeerId& self) const {
  const std::string name = path(file_name(self));
  if (::unlink(name.c_str()) != 0 && errno != ENOENT) return fail_errno(errno, "removing " + name);
  return {};
}

Result<Discovered> Registry::discover(const std::optional<libp2p::PeerId>& self, WallTime now) const {
  struct stat status{};
  if (::stat(directory_.c_str(), &status) != 0)
    return fail_errno(errno, "reading the registry directory " + directory_);
  Discovered found;
  std::size_t looked_at = 0;
  for (const Listed& file : list_files(directory_)) {
    if (!is_record_name(file.name) || (self && file.name == file_name(*self))) continue;
    if (++looked_at > limits_.files) break;
    const auto text = read_small(path(file.name), limits_.file_bytes);
    if (!text) {
      ++found.hostile;
      continue;
    }
    RecordFault fault = RecordFault::None;
    auto record = parse_record(*text, file.name, mesh_, key_, limits_, fault);
    if (!record) {
      ++(fault == RecordFault::Foreign ? found.foreign : found.hostile);
      continue;
    }
    const auto skew = std::chrono::duration_cast<WallTime::duration>(limits_.clock_skew);
    const auto ttl = std::chrono::duration_cast<WallTime::duration>(limits_.ttl);
    // From the future, or with a life that we do not give: somebody's clock is broken, or somebody lies.
    if (record->last_seen > now + skew || record->expires > record->last_seen + ttl || record->expires + skew < now) {
      ++found.stale;
      continue;
    }
    found.records.push_back(std::move(*record));
  }
  std::sort(found.records.begin(), found.records.end(),
            [](const RegistryRecord& a, const RegistryRecord& b) { return a.last_seen > b.last_seen; });
  return found;
}

std::optional<std::size_t> Registry::clean(WallTime now) const {
  const std::string lease = path(std::string(kLeaseName));
  struct stat status{};
  if (::lstat(lease.c_str(), &status) == 0) {
    if (now - modified(status) < limits_.cleaning_lease) return std::nullopt;
    ::unlink(lease.c_str());
  }
  const int fd = ::open(lease.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return std::nullopt;
  ::close(fd);
  std::size_t removed = 0;
  const auto too_old = [&](WallTime when) { return now - when > limits_.ttl + limits_.clock_skew; };
  for (const Listed& file : list_files(directory_)) {
    const bool ours =
        is_record_name(file.name) || file.name.starts_with(kTemporaryPrefix) || file.name.starts_with(kAsidePrefix);
    if (!ours || !too_old(file.when)) continue;
    // Its owner may renew it at this very moment: take what is there aside, look again, and put back what is fresh.
    const std::string aside = path(std::string(kAsidePrefix) + unique_suffix());
    if (::rename(path(file.name).c_str(), aside.c_str()) != 0) continue;
    if (::lstat(aside.c_str(), &status) == 0 && !too_old(modified(status))) {
      // Without replacing: what came meanwhile is newer still.
      static_cast<void>(::link(aside.c_str(), path(file.name).c_str()));
    } else {
      ++removed;
    }
    ::unlink(aside.c_str());
  }
  ::unlink(lease.c_str());
  return removed;
}

}  // namespace ghmesh::mesh
