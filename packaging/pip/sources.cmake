# Compiles the dependencies, the core, the loadable extension and the command. Sets core_objects (what the extension module links), extension_file and
# command_file.

# ---- dependencies: their warnings are their authors' ----------------------------------------------------------------

file(STRINGS deps/sqlite.flags sqlite_flags) # as packaging/deps has them
add_library(sqlite OBJECT deps/sqlite/sqlite3.c)
target_compile_options(sqlite PRIVATE ${sqlite_flags})

file(STRINGS deps/pcre2.sources pcre2_sources) # the others are included by these
add_library(pcre2 OBJECT ${pcre2_sources})
target_include_directories(pcre2 PRIVATE deps/pcre2/src)
target_compile_definitions(pcre2 PRIVATE HAVE_CONFIG_H PCRE2_CODE_UNIT_WIDTH=8 PCRE2_STATIC SUPPORT_PCRE2_8 SUPPORT_UNICODE
  SUPPORT_JIT HAVE_ATTRIBUTE_UNINITIALIZED=0 PCRE2_EXPORT=)

add_library(utf8proc OBJECT deps/utf8proc/utf8proc.c)
target_compile_definitions(utf8proc PRIVATE UTF8PROC_STATIC=1)

add_library(yyjson OBJECT deps/yyjson/yyjson.c)
target_compile_definitions(yyjson PRIVATE yyjson_api=)

add_library(civetweb OBJECT deps/civetweb/civetweb.c) # of the command alone
target_include_directories(civetweb PRIVATE deps/civetweb/include)
file(STRINGS deps/civetweb.flags civetweb_flags)
target_compile_options(civetweb PRIVATE ${civetweb_flags})

# libsodium without its configure: what it would find out is known for these compilers. The files choose by the processor at run time.
file(GLOB_RECURSE sodium_sources deps/libsodium/src/libsodium/*.c)
add_library(sodium OBJECT ${sodium_sources})
target_include_directories(sodium PRIVATE deps/libsodium/src/libsodium/include/sodium deps/libsodium/src/libsodium/include)
target_compile_definitions(sodium PRIVATE CONFIGURED=1 SODIUM_STATIC=1 _GNU_SOURCE DEV_MODE=0)
include(TestBigEndian)
test_big_endian(big_endian)
if(big_endian)
  target_compile_definitions(sodium PRIVATE NATIVE_BIG_ENDIAN=1)
else()
  target_compile_definitions(sodium PRIVATE NATIVE_LITTLE_ENDIAN=1)
endif()
if(gnu AND UNIX)
  target_compile_definitions(sodium PRIVATE HAVE_PTHREAD=1 HAVE_SYS_MMAN_H=1 HAVE_SYS_PARAM_H=1 HAVE_MMAP=1 HAVE_MLOCK=1 HAVE_MADVISE=1
    HAVE_MPROTECT=1 HAVE_POSIX_MEMALIGN=1 HAVE_GETPID=1 HAVE_NANOSLEEP=1 HAVE_WEAK_SYMBOLS=1 HAVE_ATOMIC_OPS=1 HAVE_GCC_MEMORY_FENCES=1
    HAVE_INLINE_ASM=1 HAVE_SYSCONF=1 HAVE_RAISE=1 HAVE_C_VARARRAYS=1)
  include(CheckSymbolExists)
  set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
  check_symbol_exists(explicit_bzero string.h have_explicit_bzero)
  if(have_explicit_bzero)
    target_compile_definitions(sodium PRIVATE HAVE_EXPLICIT_BZERO=1)
  endif()
  if(CMAKE_SIZEOF_VOID_P EQUAL 8)
    target_compile_definitions(sodium PRIVATE HAVE_TI_MODE=1)
  endif()
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    target_compile_definitions(sodium PRIVATE HAVE_SYS_RANDOM_H=1 HAVE_GETRANDOM=1 HAVE_SYS_AUXV_H=1 HAVE_GETAUXVAL=1)
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_definitions(sodium PRIVATE HAVE_CPUID=1 HAVE_AVX_ASM=1 HAVE_MMINTRIN_H=1 HAVE_EMMINTRIN_H=1 HAVE_PMMINTRIN_H=1
      HAVE_TMMINTRIN_H=1 HAVE_SMMINTRIN_H=1 HAVE_AVXINTRIN_H=1 HAVE_AVX2INTRIN_H=1 HAVE_AVX512FINTRIN_H=1 HAVE_WMMINTRIN_H=1
      HAVE_RDRAND=1)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    target_compile_definitions(sodium PRIVATE HAVE_ARMCRYPTO=1)
  endif()
  # It says that the processor is asked for AVX in assembler, which is in runtime.c, and that curve25519 has files of it, which are not here.
  file(GLOB_RECURSE curve_sources deps/libsodium/src/libsodium/crypto_scalarmult/curve25519/*.c)
  set_source_files_properties(${curve_sources} PROPERTIES COMPILE_OPTIONS -UHAVE_AVX_ASM)
endif()

if(gnu)
  foreach(library sqlite pcre2 utf8proc yyjson civetweb sodium)
    target_compile_options(${library} PRIVATE -w -fno-strict-aliasing)
  endforeach()
endif()

# ---- core, loadable extension and command ------------------------------------------------------------------------------

file(STRINGS VERSION version LIMIT_COUNT 1)
set(libraries $<TARGET_OBJECTS:pcre2> $<TARGET_OBJECTS:utf8proc> $<TARGET_OBJECTS:yyjson> $<TARGET_OBJECTS:sodium>)
set(system_libraries Threads::Threads ${CMAKE_DL_LIBS})
if(UNIX)
  list(APPEND system_libraries m)
endif()

# Only the store calls SQLite, so it alone is compiled twice.
set(core_sources "")
foreach(module base store schema evolution graph exchange event crypto identity access hub operation)
  file(GLOB sources core/src/${module}/*.c)
  list(APPEND core_sources ${sources})
endforeach()
file(GLOB store_sources core/src/store/*.c)
list(REMOVE_ITEM core_sources ${store_sources})
add_library(core OBJECT ${core_sources} core/generated/embedded.c)
add_library(store OBJECT ${store_sources})

# SQLite's loadable extension: over the SQLite of whoever loads it.
file(GLOB extension_sources core/src/extension/*.c)
add_library(extension MODULE ${store_sources} ${extension_sources} $<TARGET_OBJECTS:core> ${libraries})
target_compile_definitions(extension PRIVATE BRANT_EXTENSION)
set_target_properties(extension PROPERTIES PREFIX "" OUTPUT_NAME brant) # SQLite makes the entry point's name of the file's

file(GLOB command_sources core/src/cli/*.c core/src/mcp/*.c core/src/view/*.c)
add_executable(command ${command_sources} core/generated/page/embedded.c $<TARGET_OBJECTS:core> $<TARGET_OBJECTS:store> $<TARGET_OBJECTS:sqlite>
  $<TARGET_OBJECTS:civetweb> ${libraries})
set_target_properties(command PROPERTIES OUTPUT_NAME brant RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
target_include_directories(command SYSTEM PRIVATE deps/civetweb/include)

foreach(target core store extension command)
  target_include_directories(${target} PRIVATE core/include core/src core/generated)
  target_include_directories(${target} SYSTEM PRIVATE deps/sqlite deps/pcre2/src deps/utf8proc deps/yyjson deps/libsodium/src/libsodium/include)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE= BRANT_VERSION="${version}" SODIUM_STATIC=1 PCRE2_STATIC=1 UTF8PROC_STATIC=1)
endforeach()
foreach(target extension command)
  target_link_libraries(${target} PRIVATE ${system_libraries})
endforeach()
if(gnu)
  foreach(target core store extension command sqlite pcre2 utf8proc yyjson civetweb sodium)
    target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
  endforeach()
  if(NOT APPLE)
    target_link_options(command PRIVATE -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -s)
    target_link_options(extension PRIVATE -s) # as what is installed as a target is stripped: these two are installed as files
  endif()
endif()
set(extension_file $<TARGET_FILE:extension>)
set(command_file $<TARGET_FILE:command>)
set(core_objects $<TARGET_OBJECTS:core> $<TARGET_OBJECTS:store> $<TARGET_OBJECTS:sqlite> ${libraries})
