# simdjson as simdjson::simdjson. Debian has it as a shared library only, so a program that is to be copied to other
# machines takes the same library's single source file from npm (cmake/simdjson, installed by tools/deps.sh npm).
set(_source ${CMAKE_CURRENT_LIST_DIR}/simdjson/node_modules/@nozbe/simdjson/src)
if(GHMESH_STATIC AND EXISTS ${_source}/simdjson.cpp)
  add_library(ghmesh_simdjson STATIC ${_source}/simdjson.cpp)
  target_include_directories(ghmesh_simdjson SYSTEM PUBLIC ${_source})
  # Not our code, so not our warnings; but our hardening, and the language of its users.
  target_compile_features(ghmesh_simdjson PUBLIC cxx_std_23)
  target_compile_options(ghmesh_simdjson PRIVATE -w -fPIC -fno-omit-frame-pointer -fstack-protector-strong)
  add_library(simdjson::simdjson ALIAS ghmesh_simdjson)
else()
  if(GHMESH_STATIC)
    message(STATUS "simdjson stays a shared library: tools/deps.sh npm cmake/simdjson was not run")
  endif()
  find_package(simdjson 3 REQUIRED)
endif()
