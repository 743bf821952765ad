# Writes generated/version.h: WIPY_VERSION from the file VERSION, the git
# description and the time of the last commit from the checkout. They go into
# every image and into `wipy --version`. Run as a script (cmake -P) at every
# build, so that an image never carries an older commit's name; the header
# changes only when they do.
file(STRINGS ${SOURCE}/VERSION WIPY_VERSION LIMIT_COUNT 1)

function(ask_git variable if_none)
    execute_process(
        COMMAND ${CMAKE_COMMAND} -E env TZ=UTC git --no-optional-locks ${ARGN}
        WORKING_DIRECTORY ${SOURCE}
        OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(NOT answer)
        set(answer ${if_none})
    endif()
    set(${variable} ${answer} PARENT_SCOPE)
endfunction()

string(TIMESTAMP today %Y-%m-%d UTC)
ask_git(WIPY_GIT unknown describe --always --dirty --abbrev=8)
ask_git(WIPY_DATE ${today} log -1 --format=%cd --date=format-local:%Y-%m-%d)
ask_git(WIPY_TIME 00:00:00 log -1 --format=%cd --date=format-local:%H:%M:%S)

configure_file(${SOURCE}/cmake/version.h.in ${BINARY}/generated/version.h @ONLY)
