# Turns files into C arrays: cmake -DROOT=<core> -DOUT=<folder> [-DPAGE=ON] -P embed.cmake
# The texts of the core, or with PAGE the files of the viewer's page, which lie in ROOT itself and keep the whole name.
# Writes embedded.h and embedded.c into OUT. Any bytes are allowed; every array ends with a NUL that
# its size does not count. The order is that of the file names, byte by byte.
cmake_minimum_required(VERSION 3.22)

# table | folder below ROOT | file name pattern
set(tables
  "migrations|sql|*.sql"
  "metaschemas|metaschemas|*.json"
  "modules|modules|*.json"
  "operation_specs|operations|*.json")
set(name_part NAME_WLE)
if(PAGE)
  set(tables "page|.|*")
  set(name_part NAME)
endif()

set(header "/* Made by cmake/embed.cmake; do not edit. */
#ifndef BRANT_EMBEDDED_H
#define BRANT_EMBEDDED_H

#include <stddef.h>

typedef struct brant__embedded {
    const char *name; /* file name without its extension; of the page with it */
    const char *data; /* ends with a NUL that size does not count */
    size_t size;
} brant__embedded;
")
set(source "/* Made by cmake/embed.cmake; do not edit. */\n#include \"embedded.h\"\n")

foreach(entry IN LISTS tables)
  string(REPLACE "|" ";" entry "${entry}")
  list(GET entry 0 table)
  list(GET entry 1 folder)
  list(GET entry 2 pattern)
  file(GLOB files LIST_DIRECTORIES false "${ROOT}/${folder}/${pattern}")
  list(SORT files COMPARE STRING)

  set(rows "")
  set(count 0)
  foreach(path IN LISTS files)
    get_filename_component(name "${path}" ${name_part})
    file(READ "${path}" hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(LENGTH "${hex}" size)
    math(EXPR size "${size} / 2")
    string(APPEND source "\nstatic const unsigned char ${table}_${count}[] = {\n${bytes}0x00};\n")
    string(APPEND rows "    {\"${name}\", (const char *)${table}_${count}, ${size}},\n")
    math(EXPR count "${count} + 1")
  endforeach()

  string(APPEND header "\nextern const brant__embedded brant__${table}[];\nextern const size_t brant__${table}_count;\n")
  # One row more, all zero, so that an empty table is still an array.
  string(APPEND source "\nconst brant__embedded brant__${table}[] = {\n${rows}    {NULL, NULL, 0},\n};\nconst size_t brant__${table}_count = ${count};\n")
endforeach()
string(APPEND header "\n#endif\n")

file(CONFIGURE OUTPUT "${OUT}/embedded.h" CONTENT "${header}" @ONLY)
file(WRITE "${OUT}/embedded.c" "${source}")
