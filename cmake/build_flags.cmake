# How every target of ours is compiled: vts_add_layer() and the interface targets it links.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()

# _GNU_SOURCE: accept4, getrandom and SO_REUSEPORT are Linux's.
add_library(vts_warnings INTERFACE)
target_compile_definitions(vts_warnings INTERFACE _GNU_SOURCE)
target_compile_options(vts_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wundef -Wvla -Wformat=2 $<$<BOOL:${VTS_WARNINGS_AS_ERRORS}>:-Werror>)

# Hardening as Debian builds its daemons; sanitizers bring their own checks instead.
add_library(vts_sanitizers INTERFACE)
if(VTS_SANITIZE)
  target_compile_options(vts_sanitizers INTERFACE
    -fsanitize=${VTS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(vts_sanitizers INTERFACE -fsanitize=${VTS_SANITIZE})
else()
  target_compile_options(vts_sanitizers INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  target_link_options(vts_sanitizers INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
endif()
# Counters in all code of ours lead libFuzzer; its own main() comes in with tests/fuzz.
if(VTS_BUILD_FUZZERS)
  target_compile_options(vts_sanitizers INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(vts_sanitizers INTERFACE -fsanitize=fuzzer-no-link)
endif()
# The static library of the client must also serve those who link without it.
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(vts_sanitizers INTERFACE -ffat-lto-objects)
endif()
if(VTS_COVERAGE)
  target_compile_options(vts_sanitizers INTERFACE --coverage)
  target_link_options(vts_sanitizers INTERFACE --coverage)
endif()

# vts_add_layer(NAME SOURCES files… [LINK targets…]): the static library of one folder. It may
# include what stands in the folders it links, and nothing else.
function(vts_add_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE vts_warnings vts_sanitizers)
endfunction()
