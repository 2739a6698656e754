// SPDX-License-Identifier: Apache-2.0
#include "trust_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace ghmesh::node {
namespace {

// Where distributions keep their roots in one file: Debian and Alpine, Fedora, SUSE, the BSDs.
constexpr const char* kSystemRoots[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
// Debian's bundle has 220 KB; a file that is larger than this is no list of roots.
constexpr std::uintmax_t kMostBytes = 8 * 1024 * 1024;

Result<std::string> read_roots(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return fail(ErrorCode::NotFound, path + ": " + error.message());
  if (size > kMostBytes) return fail(ErrorCode::Limit, path + ": too large for a list of certificates");
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return fail(ErrorCode::Io, path + ": it cannot be read");
  if (text.find("-----BEGIN ") == std::string::npos) return fail(ErrorCode::Malformed, path + ": no certificate in it");
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

Result<> write_whole(const std::string& path, std::string_view text) {
  const std::string aside = path + "." + std::to_string(::getpid());
  const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return fail_errno(errno, "writing " + aside);
  bool good = ::fchmod(fd, 0644) == 0;  // whatever the umask
  while (good && !text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    good = count > 0;
    if (good) text.remove_prefix(static_cast<std::size_t>(count));
  }
  const int why = errno;
  ::close(fd);
  if (good && std::rename(aside.c_str(), path.c_str()) == 0) return {};
  auto failure = fail_errno(good ? errno : why, "writing " + path);
  ::unlink(aside.c_str());
  return failure;
}

}  // namespace

std::string TrustFiles::bundle(std::string_view authority_pem) {
  std::string out;
  left_out_.clear();
  for (const char* path : kSystemRoots) {
    Result<std::string> roots = read_roots(path);
    if (!roots) continue;
    out = std::move(*roots);
    break;
  }
  if (out.empty()) left_out_.emplace_back("the system's roots: found in none of the usual places");
  for (const std::string& path : user_roots_) {
    // Naming the system's own file again is common and would double the bundle.
    if (std::find(std::begin(kSystemRoots), std::end(kSystemRoots), path) != std::end(kSystemRoots)) continue;
    Result<std::string> roots = read_roots(path);
    if (roots)
      out += *roots;
    else
      left_out_.push_back(roots.error().message);
  }
  return out.append(authority_pem);
}

Result<> TrustFiles::write(std::string_view authority_pem) {
  std::error_code error;
  made_directory_ = std::filesystem::create_directories(directory_, error) || made_directory_;
  if (error) return fail(ErrorCode::Io, "making " + directory_ + ": " + error.message());
  wrote_ = true;
  // The bundle first: who sees the small file may rely on both.
  if (Result<> done = write_whole(bundle_path(), bundle(authority_pem)); !done) return done;
  return write_whole(authority_path(), authority_pem);
}

TrustFiles::~TrustFiles() {
  if (!wrote_) return;
  ::unlink(authority_path().c_str());
  ::unlink(bundle_path().c_str());
  if (made_directory_) ::rmdir(directory_.c_str());
}

}  // namespace ghmesh::node
