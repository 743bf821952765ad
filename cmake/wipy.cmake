# How the project's rooms are built: twice where both sides need them, once
# with the host's C library (board, tool, tests) and once with musl for the
# board's CPU (bootloader, firmware). The second has the suffix _cpu.

set(WIPY_WARNINGS
    -Wall -Wextra -Wconversion -Wshadow -Wmissing-prototypes
    -Wstrict-prototypes -Wundef -Wpointer-arith -Wvla -Werror)

find_program(MUSL_GCC musl-gcc REQUIRED)
execute_process(
    COMMAND sed -n "s/.*-specs \"\\([^\"]*\\)\".*/\\1/p" ${MUSL_GCC}
    OUTPUT_VARIABLE MUSL_SPECS OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT MUSL_SPECS)
    message(FATAL_ERROR "cannot find the specs file that ${MUSL_GCC} uses")
endif()

# musl's include path leaves out /usr/include: the two libraries whose headers
# do not depend on a C library are copied beside the build.
set(CPU_INCLUDE ${CMAKE_BINARY_DIR}/cpu-include)
file(GLOB bearssl_headers /usr/include/bearssl/*.h)
if(NOT bearssl_headers)
    message(FATAL_ERROR "BearSSL's headers are missing: run deps/install")
endif()
file(COPY ${bearssl_headers} /usr/include/wasm-rt.h DESTINATION ${CPU_INCLUDE})
# The kernel's own headers, for the seccomp filter; they need no C library.
file(CREATE_LINK /usr/include/linux ${CPU_INCLUDE}/linux SYMBOLIC)
file(CREATE_LINK /usr/include/asm-generic ${CPU_INCLUDE}/asm-generic SYMBOLIC)
file(CREATE_LINK /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/asm
    ${CPU_INCLUDE}/asm SYMBOLIC)

find_library(BEARSSL_A libbearssl.a REQUIRED)

# Options of our own code on the host.
add_library(wipy_host_options INTERFACE)
target_compile_options(wipy_host_options INTERFACE ${WIPY_WARNINGS})
target_compile_definitions(wipy_host_options INTERFACE _POSIX_C_SOURCE=200809L)
target_include_directories(wipy_host_options INTERFACE
    ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/core ${CMAKE_BINARY_DIR}/generated)
target_include_directories(wipy_host_options SYSTEM INTERFACE ${CPU_INCLUDE})
if(SAN)
    target_compile_options(wipy_host_options INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=undefined
        -fno-omit-frame-pointer
        # Checks in between hide from gcc what it knew: false alarms.
        -Wno-stringop-overflow -Wno-maybe-uninitialized)
    target_link_options(wipy_host_options INTERFACE -fsanitize=address,undefined)
endif()

if(FUZZ)
    target_compile_options(wipy_host_options INTERFACE
        -fsanitize=fuzzer-no-link,address,undefined
        -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    target_link_options(wipy_host_options INTERFACE -fsanitize=address,undefined)
endif()

# Options of our own code on the board's CPU: static musl, small.
add_library(wipy_cpu_options INTERFACE)
target_compile_options(wipy_cpu_options INTERFACE
    ${WIPY_WARNINGS} -specs=${MUSL_SPECS} -Os -ffunction-sections
    -fdata-sections -fno-asynchronous-unwind-tables -U_FORTIFY_SOURCE)
target_compile_definitions(wipy_cpu_options INTERFACE _POSIX_C_SOURCE=200809L)
target_include_directories(wipy_cpu_options INTERFACE
    ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/core ${CMAKE_BINARY_DIR}/generated)
target_include_directories(wipy_cpu_options SYSTEM INTERFACE ${CPU_INCLUDE})
target_link_options(wipy_cpu_options INTERFACE
    -specs=${MUSL_SPECS} -static -no-pie -Wl,--gc-sections
    -Wl,-z,noseparate-code -Wl,--build-id=none)
if(SAN)
    target_compile_options(wipy_cpu_options INTERFACE
        -fsanitize=undefined -fsanitize-undefined-trap-on-error)
endif()

# All host-side code, for tests to link.
add_library(wipy_host INTERFACE)

# wipy_room(NAME [CPU_ONLY|HOST_ONLY] [DEPENDS room...] [LIBS lib...]): the .c
# files of the current folder as static library NAME and NAME_cpu.
function(wipy_room name)
    cmake_parse_arguments(R "CPU_ONLY;HOST_ONLY" "" "DEPENDS;LIBS;SOURCES" ${ARGN})
    if(R_SOURCES)
        set(sources ${R_SOURCES})
    else()
        file(GLOB sources CONFIGURE_DEPENDS *.c)
    endif()
    if(NOT sources)
        list(APPEND sources ${CMAKE_SOURCE_DIR}/cmake/empty.c)
    endif()
    if(NOT R_CPU_ONLY)
        add_library(${name} STATIC ${sources})
        target_link_libraries(${name} PUBLIC ${R_DEPENDS} ${R_LIBS})
        target_link_libraries(${name} PRIVATE wipy_host_options)
        target_link_libraries(wipy_host INTERFACE ${name})
    endif()
    if(NOT R_HOST_ONLY)
        add_library(${name}_cpu STATIC ${sources})
        list(TRANSFORM R_DEPENDS APPEND _cpu)
        target_link_libraries(${name}_cpu PUBLIC ${R_DEPENDS} ${R_LIBS})
        target_link_libraries(${name}_cpu PRIVATE wipy_cpu_options)
    endif()
endfunction()

# wipy_wasm2c(NAME WASM SHA256): turns the WebAssembly module into
# ${CMAKE_BINARY_DIR}/wasm/NAME.c and .h; fails with a clear message when the
# module is not the pinned one.
function(wipy_wasm2c name wasm sha256)
    set(out ${CMAKE_BINARY_DIR}/wasm)
    file(MAKE_DIRECTORY ${out})
    add_custom_command(
        OUTPUT ${out}/${name}.c ${out}/${name}.h
        COMMAND ${CMAKE_COMMAND} -DWASM=${wasm} -DSHA256=${sha256}
                -P ${CMAKE_SOURCE_DIR}/cmake/check-wasm.cmake
        COMMAND wasm2c ${wasm} -n ${name} -o ${out}/${name}.c
        DEPENDS ${wasm} ${CMAKE_SOURCE_DIR}/cmake/check-wasm.cmake
        COMMENT "wasm2c ${name}" VERBATIM)
endfunction()
