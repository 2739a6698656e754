# Third-party libraries, each entering by one door (ARCHITECTURE.md names the reason for each).
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)                      # crypto, tls
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)    # crypto: Ed25519, X25519
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)        # store, http
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlidec libbrotlienc)  # http
find_package(ZLIB REQUIRED)                             # http
find_package(nlohmann_json 3.11 REQUIRED)               # github, admin: JSON output
find_package(simdjson 3 REQUIRED)                       # github: scanning bodies
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)  # node: configuration file, header only
find_package(GTest 1.12 REQUIRED)
if(GHMESH_BENCH)
  find_package(benchmark 1.7 REQUIRED)
endif()
