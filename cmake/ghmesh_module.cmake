# ghmesh_module(<room>
#   [SOURCES file...] [HEADERS file...]            HEADERS are the room's door: what other rooms may include
#   [DEPENDS room...]                              appear in my headers
#   [PRIVATE_DEPENDS room...]                      only in my sources
#   [LINK target...] [PRIVATE_LINK target...]      third-party targets, likewise
#   [TESTS file...] [TEST_DEPENDS room...]         one test program per room
#   [FUZZ file...]                                 one fuzz target per file: x_fuzz.cpp, corpus in tests/corpus/x
#   [BENCH file...])                               one benchmark program per file, built by ghmesh_benches
#
# Each room gets an include root of its own in the build tree, holding links to its HEADERS under the room's path.
# So an undeclared room, a private dependency of another room and another room's private header are compile errors.
# A dependency must exist already: src/CMakeLists.txt adds rooms floor by floor, and an upward arrow stops the configure step.

add_custom_target(ghmesh_fuzzers)  # every fuzz target
add_custom_target(ghmesh_benches)  # every benchmark: not part of "all", so that the tests do not wait for them

set(GHMESH_PCH_HEADERS
  <algorithm> <array> <atomic> <charconv> <chrono> <coroutine> <cstdint> <cstring> <deque> <expected> <functional>
  <map> <memory> <mutex> <optional> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>)

# One precompiled header for all rooms and one for all tests: every target compiles with the same flags.
function(ghmesh_precompiled_headers)
  file(WRITE ${PROJECT_BINARY_DIR}/pch.cpp "")
  add_library(ghmesh_pch OBJECT ${PROJECT_BINARY_DIR}/pch.cpp)
  target_link_libraries(ghmesh_pch PRIVATE ghmesh_flags)
  target_precompile_headers(ghmesh_pch PRIVATE ${GHMESH_PCH_HEADERS})
  add_library(ghmesh_test_pch OBJECT ${PROJECT_BINARY_DIR}/pch.cpp)
  target_link_libraries(ghmesh_test_pch PRIVATE ghmesh_flags GTest::gtest GTest::gmock)
  target_precompile_headers(ghmesh_test_pch PRIVATE ${GHMESH_PCH_HEADERS} <gtest/gtest.h> <gmock/gmock.h>)
endfunction()

function(_ghmesh_target_name out room)
  string(REPLACE "/" "_" name "${room}")
  set(${out} "ghmesh_${name}" PARENT_SCOPE)
endfunction()

function(_ghmesh_require room dep)
  _ghmesh_target_name(target ${dep})
  if(NOT TARGET ${target})
    message(FATAL_ERROR "${room} depends on ${dep}, which does not stand yet: an arrow up, a cycle, or a misspelt room")
  endif()
endfunction()

function(ghmesh_module room)
  cmake_parse_arguments(M "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE_DEPENDS;LINK;PRIVATE_LINK;TESTS;TEST_DEPENDS;FUZZ;BENCH" ${ARGN})
  if(M_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "ghmesh_module(${room}): unknown arguments ${M_UNPARSED_ARGUMENTS}")
  endif()
  _ghmesh_target_name(target ${room})

  set(root ${PROJECT_BINARY_DIR}/include/${target})
  file(REMOVE_RECURSE ${root})
  foreach(header IN LISTS M_HEADERS)
    set(link ${root}/${room}/${header})
    get_filename_component(dir ${link} DIRECTORY)
    file(MAKE_DIRECTORY ${dir})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${header} ${link} SYMBOLIC)
  endforeach()
  file(MAKE_DIRECTORY ${root})

  if(M_SOURCES)
    add_library(${target} STATIC ${M_SOURCES})
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:ghmesh_flags>)
    target_compile_features(${target} PUBLIC cxx_std_23)
    set(visibility PUBLIC)
    target_precompile_headers(${target} REUSE_FROM ghmesh_pch)
  else()
    add_library(${target} INTERFACE)
    set(visibility INTERFACE)
  endif()
  add_library(ghmesh::${target} ALIAS ${target})
  target_include_directories(${target} ${visibility} $<BUILD_INTERFACE:${root}> $<INSTALL_INTERFACE:include/ghmesh>)
  foreach(dep IN LISTS M_DEPENDS)
    _ghmesh_require(${room} ${dep})
    _ghmesh_target_name(dep_target ${dep})
    target_link_libraries(${target} ${visibility} ${dep_target})
  endforeach()
  foreach(dep IN LISTS M_PRIVATE_DEPENDS)
    _ghmesh_require(${room} ${dep})
    _ghmesh_target_name(dep_target ${dep})
    target_link_libraries(${target} PRIVATE ${dep_target})
  endforeach()
  if(M_LINK)
    target_link_libraries(${target} ${visibility} ${M_LINK})
  endif()
  if(M_PRIVATE_LINK)
    target_link_libraries(${target} PRIVATE ${M_PRIVATE_LINK})
  endif()
  set_property(GLOBAL APPEND PROPERTY GHMESH_ROOMS ${room})
  set_property(GLOBAL PROPERTY GHMESH_HEADERS_${target} ${M_HEADERS})
  set_property(GLOBAL PROPERTY GHMESH_DEPENDS_${target} ${M_DEPENDS} ${M_PRIVATE_DEPENDS})

  if(M_TESTS)
    add_executable(${target}_test ${M_TESTS})
    target_link_libraries(${target}_test PRIVATE ${target} ghmesh_flags GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_definitions(${target}_test PRIVATE GHMESH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    foreach(dep IN LISTS M_PRIVATE_DEPENDS M_TEST_DEPENDS)
      _ghmesh_require(${room} ${dep})
      _ghmesh_target_name(dep_target ${dep})
      target_link_libraries(${target}_test PRIVATE ${dep_target})
    endforeach()
    target_precompile_headers(${target}_test REUSE_FROM ghmesh_test_pch)
    add_test(NAME ${room} COMMAND ${target}_test --gtest_brief=1)
    set_tests_properties(${room} PROPERTIES TIMEOUT 300)
  endif()

  foreach(file IN LISTS M_FUZZ)
    get_filename_component(stem ${file} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" subject ${stem})
    string(REPLACE "/" "_" flat "${room}")
    set(fuzzer fuzz_${flat}_${subject})
    set(corpus ${PROJECT_SOURCE_DIR}/tests/corpus/${flat}_${subject})
    add_executable(${fuzzer} ${file})
    target_link_libraries(${fuzzer} PRIVATE ${target} ghmesh_flags)
    foreach(dep IN LISTS M_PRIVATE_DEPENDS)
      _ghmesh_target_name(dep_target ${dep})
      target_link_libraries(${fuzzer} PRIVATE ${dep_target})
    endforeach()
    if(GHMESH_FUZZ)
      target_link_options(${fuzzer} PRIVATE -fsanitize=fuzzer)
    else()
      # Without the engine the target replays its committed corpus: each crash found stays found.
      target_sources(${fuzzer} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/fuzz_replay_main.cpp)
      add_test(NAME corpus/${flat}_${subject} COMMAND ${fuzzer} ${corpus})
    endif()
    add_dependencies(ghmesh_fuzzers ${fuzzer})
  endforeach()

  if(GHMESH_BENCH)
    foreach(file IN LISTS M_BENCH)
      get_filename_component(stem ${file} NAME_WE)
      string(REPLACE "/" "_" flat "${room}")
      add_executable(bench_${flat}_${stem} EXCLUDE_FROM_ALL ${file})
      add_dependencies(ghmesh_benches bench_${flat}_${stem})
      target_link_libraries(bench_${flat}_${stem} PRIVATE ${target} ghmesh_flags benchmark::benchmark benchmark::benchmark_main)
      foreach(dep IN LISTS M_PRIVATE_DEPENDS M_TEST_DEPENDS)
        _ghmesh_target_name(dep_target ${dep})
        target_link_libraries(bench_${flat}_${stem} PRIVATE ${dep_target})
      endforeach()
    endforeach()
  endif()
endfunction()
