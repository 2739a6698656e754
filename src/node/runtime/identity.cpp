// SPDX-License-Identifier: Apache-2.0
#include "node/runtime/identity.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ghmesh::node {
namespace {

// The old form has 96 bytes and a head of four.
constexpr std::size_t kMaxBytes = 128;

struct Descriptor {
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  int fd = -1;
};

Result<libp2p::PrivateKey> read_identity(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return fail_errno(errno, "reading " + path);
  if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 077) != 0)
    return fail(ErrorCode::Refused, path + " must be a regular file of this user with mode 0600: chmod 600 " + path);
  crypto::SecretBytes bytes{Bytes(kMaxBytes)};
  const ssize_t count = ::read(fd, bytes.expose_mutable().data(), kMaxBytes);
  if (count < 0) return fail_errno(errno, "reading " + path);
  bytes.expose_mutable().resize(static_cast<std::size_t>(count));
  auto key = libp2p::PrivateKey::decode(bytes);
  if (!key)
    return fail(ErrorCode::Malformed,
                path + " is not an identity file (" + key.error().message + "); remove it to get a new one");
  return key;
}

Result<libp2p::PrivateKey> make_identity(const std::string& path, Random& random) {
  libp2p::PrivateKey key = libp2p::PrivateKey::generate(random);
  const crypto::SecretBytes bytes = key.encode();
  // Written aside and linked into place: a second node that starts at the same time finds a whole key or none.
  const std::string aside = path + "." + std::to_string(::getpid());
  {
    const Descriptor file{::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (file.fd < 0) return fail_errno(errno, "writing " + aside);
    const auto size = static_cast<ssize_t>(bytes.expose().size());
    if (::write(file.fd, bytes.expose().data(), bytes.expose().size()) != size || ::fsync(file.fd) != 0) {
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
  return read_identity(other.fd, path);
}

}  // namespace

Result<libp2p::PrivateKey> read_identity(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (file.fd < 0) return fail_errno(errno, "reading " + path);
  return read_identity(file.fd, path);
}

Result<libp2p::PrivateKey> load_identity(const std::optional<std::string>& path, Random& random) {
  if (!path) return libp2p::PrivateKey::generate(random);
  const Descriptor file{::open(path->c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (file.fd >= 0) return read_identity(file.fd, *path);
  if (errno == ENOENT) return make_identity(*path, random);
  return fail_errno(errno, "reading " + *path);
}

}  // namespace ghmesh::node
