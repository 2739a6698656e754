# The dashboard (web/dist) as bytes of the program: each file as it is and as gzip, with a tag made of its content. No file
# to find at run time, nothing to build with Node.
enable_language(ASM)
find_program(GHMESH_GZIP gzip REQUIRED)

set(dist ${PROJECT_SOURCE_DIR}/web/dist)
set(made ${CMAKE_CURRENT_BINARY_DIR}/page)
file(MAKE_DIRECTORY ${made})
set(assembly "// The dashboard's files.\n    .section .rodata.ghmesh_page,\"a\",%progbits\n")
set(symbols "")
set(rows "")
set(inputs "")

# ghmesh_page_file(<name in web/dist> <path it is asked by> <media type>)
function(ghmesh_page_file name path type)
  set(file ${dist}/${name})
  string(MAKE_C_IDENTIFIER ${name} id)
  # The tag changes with the content, so a changed file configures again.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(SHA256 ${file} digest)
  string(SUBSTRING ${digest} 0 16 tag)
  add_custom_command(OUTPUT ${made}/${name}.gz COMMAND sh -c "${GHMESH_GZIP} -9nc < '${file}' > '${made}/${name}.gz'"
                     DEPENDS ${file} VERBATIM)
  foreach(kind plain zipped)
    set(source ${file})
    if(kind STREQUAL zipped)
      set(source ${made}/${name}.gz)
    endif()
    string(APPEND assembly
      "    .global ghmesh_page_${id}_${kind}\n    .global ghmesh_page_${id}_${kind}_end\n"
      "ghmesh_page_${id}_${kind}:\n    .incbin \"${source}\"\nghmesh_page_${id}_${kind}_end:\n    .byte 0\n")
  endforeach()
  set(symbol ghmesh_page_${id})
  string(APPEND symbols "extern \"C\" const char ${symbol}_plain[], ${symbol}_plain_end[], ${symbol}_zipped[], ${symbol}_zipped_end[];\n")
  string(APPEND rows "      {\"${path}\", \"${type}\", \"${tag}\", {${symbol}_plain, ${symbol}_plain_end}, {${symbol}_zipped, ${symbol}_zipped_end}},\n")
  list(APPEND inputs ${file} ${made}/${name}.gz)
  set(assembly "${assembly}" PARENT_SCOPE)
  set(symbols "${symbols}" PARENT_SCOPE)
  set(rows "${rows}" PARENT_SCOPE)
  set(inputs "${inputs}" PARENT_SCOPE)
endfunction()

ghmesh_page_file(index.html / "text/html; charset=utf-8")
ghmesh_page_file(page.js /page.js "text/javascript; charset=utf-8")
ghmesh_page_file(page.css /page.css "text/css; charset=utf-8")
ghmesh_page_file(icon.svg /icon.svg "image/svg+xml")
ghmesh_page_file(licences.txt /licences.txt "text/plain; charset=utf-8")

string(APPEND assembly "    .section .note.GNU-stack,\"\",%progbits\n")
file(CONFIGURE OUTPUT ${made}/page_files.S CONTENT "${assembly}" @ONLY)
configure_file(page_files.cpp.in ${made}/page_files.cpp @ONLY)
# A library of its own: rooms precompile C++ headers, which an assembler file cannot take.
add_library(ghmesh_page_files STATIC ${made}/page_files.S)
set_source_files_properties(${made}/page_files.S PROPERTIES OBJECT_DEPENDS "${inputs}")
