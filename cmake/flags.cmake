# One INTERFACE target carries every flag, so that precompiled headers can be shared between rooms.
add_library(ghmesh_flags INTERFACE)
target_compile_features(ghmesh_flags INTERFACE cxx_std_23)
target_compile_options(ghmesh_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Wunused -Woverloaded-virtual
  -Wimplicit-fallthrough -Wextra-semi -Wno-missing-designated-field-initializers -Werror
  -fPIC -fno-omit-frame-pointer -fstack-protector-strong
  "SHELL:-Xclang -fno-pch-timestamp"  # the compiler cache compares precompiled headers by content
  "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
# Bounds checks of the standard library stay on in release: a node reads hostile bytes all day.
target_compile_definitions(ghmesh_flags INTERFACE _GLIBCXX_ASSERTIONS)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(ghmesh_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
target_link_options(ghmesh_flags INTERFACE -pie -fuse-ld=lld-19 -Wl,-z,relro,-z,now -Wl,--gc-sections)
if(GHMESH_SANITIZE)
  target_compile_options(ghmesh_flags INTERFACE -fsanitize=${GHMESH_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(ghmesh_flags INTERFACE -fsanitize=${GHMESH_SANITIZE})
  if(GHMESH_SANITIZE MATCHES "undefined")
    # Virtual-table checks need the type information of packaged libraries built without them.
    target_compile_options(ghmesh_flags INTERFACE -fno-sanitize=vptr,function)
  endif()
endif()
if(GHMESH_FUZZ)
  target_compile_options(ghmesh_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(GHMESH_COVERAGE)
  target_compile_options(ghmesh_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(ghmesh_flags INTERFACE -fprofile-instr-generate)
endif()
