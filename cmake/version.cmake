# WIPY_VERSION comes from the file VERSION, the git description from the
# checkout; both go into every image and into `wipy --version`.
file(STRINGS ${CMAKE_SOURCE_DIR}/VERSION WIPY_VERSION LIMIT_COUNT 1)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS VERSION)
execute_process(
    COMMAND git describe --always --dirty --abbrev=8
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    OUTPUT_VARIABLE WIPY_GIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
execute_process(
    COMMAND git log -1 --format=%cd --date=format:%Y-%m-%d
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    OUTPUT_VARIABLE WIPY_DATE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT WIPY_GIT)
    set(WIPY_GIT unknown)
endif()
if(NOT WIPY_DATE)
    string(TIMESTAMP WIPY_DATE %Y-%m-%d UTC)
endif()
configure_file(${CMAKE_SOURCE_DIR}/cmake/version.h.in
    ${CMAKE_BINARY_DIR}/generated/version.h @ONLY)
