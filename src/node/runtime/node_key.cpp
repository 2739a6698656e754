// SPDX-License-Identifier: Apache-2.0
#include "node/runtime/node_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "crypto/hmac.hpp"

namespace ghmesh::node {
namespace {

constexpr std::size_t kKeyBytes = 32;

struct Descriptor {
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  int fd = -1;
};

Result<crypto::SecretBytes> read_key(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return fail_errno(errno, "reading " + path);
  if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 077) != 0)
    return fail(ErrorCode::Refused,
                path + " must be a regular file of this user with mode 0600; remove it to get a new one");
  crypto::SecretBytes key{Bytes(kKeyBytes + 1)};
  const ssize_t count = ::read(fd, key.expose_mutable().data(), kKeyBytes + 1);
  if (count < 0) return fail_errno(errno, "reading " + path);
  if (count != static_cast<ssize_t>(kKeyBytes))
    return fail(ErrorCode::Malformed, path + " does not hold a key of 32 bytes; remove it to get a new one");
  key.expose_mutable().resize(kKeyBytes);
  return key;
}

Result<crypto::SecretBytes> make_key(const std::string& path, Random& random) {
  crypto::SecretBytes key{Bytes(kKeyBytes)};
  random.fill(key.expose_mutable());
  // Written aside and linked into place: a second node that starts at the same time finds a whole key or none.
  const std::string aside = path + "." + std::to_string(::getpid());
  {
    const Descriptor file{::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (file.fd < 0) return fail_errno(errno, "writing " + aside);
    if (::write(file.fd, key.expose().data(), kKeyBytes) != static_cast<ssize_t>(kKeyBytes) || ::fsync(file.fd) != 0) {
      auto failure = fail_errno(errno, "writing " + aside);
      ::unlink(aside.c_str());
      return failure;
    }
  }
  const int linked = ::link(aside.c_str(), path.c_str());
  const int error = errno;
  ::unlink(aside.c_str());
  if (linked == 0) return key;
  if (error != EEXIST) return fail_errno(error, "writing " + path);
  const Descriptor other{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (other.fd < 0) return fail_errno(errno, "reading " + path);
  return read_key(other.fd, path);
}

}  // namespace

Result<NodeKeys> load_node_keys(const std::string& directory, Random& random) {
  Result<crypto::SecretBytes> key = fail(ErrorCode::NotFound, "");
  if (directory.empty()) {
    crypto::SecretBytes fresh{Bytes(kKeyBytes)};
    random.fill(fresh.expose_mutable());
    key = std::move(fresh);
  } else {
    const std::string path = directory + "/node.key";
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (file.fd >= 0) {
      key = read_key(file.fd, path);
    } else if (errno == ENOENT) {
      key = make_key(path, random);
    } else {
      return fail_errno(errno, "reading " + path);
    }
  }
  if (!key) return std::unexpected(key.error());
  const auto derive = [&](std::string_view purpose) {
    return crypto::hkdf(as_bytes("ghmesh node v1"), key->expose(), as_bytes(purpose), kKeyBytes);
  };
  return NodeKeys{derive("cache lookup"), derive("token partition")};
}

}  // namespace ghmesh::node
