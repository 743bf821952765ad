# Fails unless WASM has the digest SHA256: the build redirects functions of
# the module by number, which is only right for this very one.
if(NOT EXISTS ${WASM})
    message(FATAL_ERROR "${WASM} is missing: run deps/install")
endif()
file(SHA256 ${WASM} found)
if(NOT found STREQUAL SHA256)
    message(FATAL_ERROR
        "${WASM} is another module than the pinned one\n"
        "  found    ${found}\n  expected ${SHA256}\n"
        "Run deps/install; to move to a new release see docs/DESIGN.md, "
        "'Moving to another MicroPython'.")
endif()
