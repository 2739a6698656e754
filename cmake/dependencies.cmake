# Third-party libraries, each entering by one door (ARCHITECTURE.md names the reason for each).
if(GHMESH_STATIC)
  set(OPENSSL_USE_STATIC_LIBS ON)
  set(ZLIB_USE_STATIC_LIBS ON)
  # A build tree that was configured otherwise remembers the shared ones.
  foreach(variable OPENSSL_CRYPTO_LIBRARY OPENSSL_SSL_LIBRARY ZLIB_LIBRARY_RELEASE)
    if("${${variable}}" MATCHES "\\.so$")
      unset(${variable} CACHE)
    endif()
  endforeach()
endif()
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)                      # crypto, tls
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)    # crypto: Ed25519, X25519
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)        # store, http
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlidec libbrotlienc)  # http
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)  # http/http2
find_package(ZLIB REQUIRED)                             # http
find_package(nlohmann_json 3.11 REQUIRED)               # github, admin: JSON output
include(simdjson)                                       # github: scanning bodies
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)  # node: configuration file, header only
find_package(GTest 1.12 REQUIRED)
if(GHMESH_BENCH)
  find_package(benchmark 1.7 REQUIRED)
endif()

# Archives in place of the shared libraries that pkg-config names, where there is one beside it.
function(_ghmesh_link_archives target)
  get_target_property(libraries ${target} INTERFACE_LINK_LIBRARIES)
  list(TRANSFORM libraries REPLACE "\\.so$" ".a")
  foreach(library IN LISTS libraries)
    if(library MATCHES "\\.a$" AND NOT EXISTS ${library})
      message(FATAL_ERROR "GHMESH_STATIC: ${library} is not there (tools/deps.sh installs it)")
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${libraries};${ARGN}")
endfunction()
if(GHMESH_STATIC)
  _ghmesh_link_archives(PkgConfig::SODIUM)
  _ghmesh_link_archives(PkgConfig::ZSTD)
  _ghmesh_link_archives(PkgConfig::NGHTTP2)
  _ghmesh_link_archives(PkgConfig::BROTLI brotlicommon-static)
  find_library(BROTLICOMMON_ARCHIVE libbrotlicommon.a REQUIRED)
  add_library(brotlicommon-static STATIC IMPORTED)
  set_target_properties(brotlicommon-static PROPERTIES IMPORTED_LOCATION ${BROTLICOMMON_ARCHIVE})
endif()
