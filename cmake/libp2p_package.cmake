# libp2p/ as a library for others: headers, static libraries, a CMake package (find_package(ghmesh-libp2p)) and a
# pkg-config file. What is installed follows from the rooms that libp2p/host and its neighbours are built from.

set(roots libp2p/host libp2p/request libp2p/mdns libp2p/tls)

function(_ghmesh_closure out)
  set(seen "")
  set(todo ${ARGN})
  while(todo)
    list(POP_FRONT todo room)
    if(NOT room IN_LIST seen)
      list(APPEND seen ${room})
      _ghmesh_target_name(target ${room})
      get_property(deps GLOBAL PROPERTY GHMESH_DEPENDS_${target})
      list(APPEND todo ${deps})
    endif()
  endwhile()
  set(${out} ${seen} PARENT_SCOPE)
endfunction()

_ghmesh_closure(rooms ${roots})
include(GNUInstallDirs)
set(archives ${CMAKE_INSTALL_LIBDIR}/ghmesh)
set(pkgconfig_libs "")
set(package_targets "")
foreach(room IN LISTS rooms)
  _ghmesh_target_name(target ${room})
  get_property(headers GLOBAL PROPERTY GHMESH_HEADERS_${target})
  foreach(header IN LISTS headers)
    # Conformance suites are for test programs of this tree.
    if(NOT header MATCHES "_conformance\\.hpp$")
      install(FILES ${PROJECT_SOURCE_DIR}/src/${room}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ghmesh/${room}
              COMPONENT libp2p)
    endif()
  endforeach()
  install(TARGETS ${target} EXPORT ghmesh-libp2p-targets ARCHIVE DESTINATION ${archives} COMPONENT libp2p)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL STATIC_LIBRARY)
    string(APPEND pkgconfig_libs " -l${target}")
  endif()
  list(APPEND package_targets ghmesh::${target})
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ghmesh-libp2p)
install(EXPORT ghmesh-libp2p-targets NAMESPACE ghmesh:: DESTINATION ${package_dir} COMPONENT libp2p)
list(JOIN package_targets " " package_targets)
file(WRITE ${PROJECT_BINARY_DIR}/ghmesh-libp2p-config.cmake "\
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(OpenSSL 3.0)
find_dependency(PkgConfig)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
include(\"\${CMAKE_CURRENT_LIST_DIR}/ghmesh-libp2p-targets.cmake\")
if(NOT TARGET ghmesh::libp2p)
  add_library(ghmesh::libp2p INTERFACE IMPORTED)
  target_link_libraries(ghmesh::libp2p INTERFACE ${package_targets})
endif()
")
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ghmesh-libp2p-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ghmesh-libp2p-config.cmake ${PROJECT_BINARY_DIR}/ghmesh-libp2p-config-version.cmake
        DESTINATION ${package_dir} COMPONENT libp2p)

# The rooms refer to each other in any order, hence the group.
file(WRITE ${PROJECT_BINARY_DIR}/ghmesh-libp2p.pc "\
prefix=\${pcfiledir}/../..
Name: ghmesh-libp2p
Description: libp2p in C++: TCP, Noise, TLS, yamux, identify, ping, mDNS
Version: ${PROJECT_VERSION}
Requires.private: libsodium openssl
Cflags: -I\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}/ghmesh -std=c++23
Libs: -L\${prefix}/${archives} -Wl,--start-group${pkgconfig_libs} -Wl,--end-group -lssl -lcrypto -lsodium -lresolv -lpthread
")
install(FILES ${PROJECT_BINARY_DIR}/ghmesh-libp2p.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT libp2p)
