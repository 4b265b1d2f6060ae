"""Each library and the system's interface are known to one file only; libcurl's
exchanges, options, forms, addresses and failures are five."""
import re

import common

CODE = ("src", "plugin", "include")
OS = ("src/base/giq_os.c", "src/base/giq_os_lock.c", "src/base/giq_os_internal.h")
OWNERS = (
    (re.compile(r"^curl/"), ("src/net/giq_http.c", "src/net/giq_http_options.c", "src/net/giq_multipart.c",
                             "src/net/giq_url.c", "src/net/giq_failure.c")),
    (re.compile(r"^(cjson/)?cJSON\w*\.h$"), ("src/base/giq_json.c",)),
    (re.compile(r"^geos"), ("src/area/giq_geos_parts.h",)),
    (re.compile(r"^openssl/"), ("src/store/giq_digest.c",)),
    (re.compile(r"^zlib\.h$"), ("src/net/giq_inflate.c", "src/result/giq_gzip.c")),
    (re.compile(r"^archive(_entry)?\.h$"), ("src/result/giq_libarchive.h",)),
    (re.compile(r"^dlfcn\.h$"), ("src/result/giq_libarchive.c",)),
    (re.compile(r"^(sys|net|netinet|arpa)/|^(aio|dirent|fcntl|fnmatch|ftw|glob|grp"
                r"|netdb|poll|pwd|sched|semaphore|spawn|syslog|termios"
                r"|utime)\.h$"), OS),
    (re.compile(r"^pthread\.h$"), ("src/base/giq_os_lock.c", "src/base/giq_thread.h")),
    (re.compile(r"^(signal|unistd)\.h$"), (*OS, "src/base/giq_thread.c",
                                           "plugin/giq_interrupt.c")),
)
# What reads the clock, waits, or depends on the time zone or on a static buffer;
# gmtime_r() and timegm() do not.
CLOCK = re.compile(r"(?<![\w.>])(clock|clock_\w+|gettimeofday|gmtime|localtime(_r)?"
                   r"|mktime|nanosleep|sleep|thrd_sleep|time|timespec_get|usleep)"
                   r"\s*\(")
# The first is not thread-safe, the second another function in each C library.
ERROR_WORDS = re.compile(r"(?<![\w.>])(strerror|strerror_r)\s*\(")
# The first access to one of a loaded library may allocate memory, also in the handler of a
# signal.
THREAD_LOCAL = re.compile(r"\b(_Thread_local|thread_local|__thread)\b")
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
CPP_SUFFIXES = (".cpp", ".cc", ".cxx", ".hpp")
CPP_FOLDER, CPP_LINES = "plugin/", 600


def blank(match):
    return "\n" * match[0].count("\n") or " "


def calls(root, path, pattern):
    """(number, name) of every match of the pattern, outside comments and strings."""
    text = "\n".join(line for _, line in common.lines(root, path))
    for number, line in enumerate(NOT_CODE.sub(blank, text).split("\n"), 1):
        for match in pattern.finditer(line):
            yield number, match[1]


def check_file(root, path):
    for number, quoted, name in common.includes(root, path):
        if quoted and "giq_" in name:
            continue
        for pattern, owners in OWNERS:
            if pattern.match(name) and path not in owners:
                yield f"{path}:{number}: {name} is for {', '.join(owners)} only"
    if path != "src/base/giq_os.c":
        for number, name in calls(root, path, CLOCK):
            yield f"{path}:{number}: {name}() is for src/base/giq_os.c only"
    for number, name in calls(root, path, THREAD_LOCAL):
        yield f"{path}:{number}: {name} is not for a library that is loaded at run time"
    for number, name in calls(root, path, ERROR_WORDS):
        yield f"{path}:{number}: {name}() is not portable: use giq_error_strerror()"


def check_cpp(root, paths):
    """C++ stands in plugin/ alone, and there is little of it."""
    total = 0
    for path in paths:
        if not path.startswith(CPP_FOLDER):
            yield f"{path}:1: C++ is for {CPP_FOLDER} only"
        total += len(common.lines(root, path))
    if total > CPP_LINES:
        yield f"{CPP_FOLDER}:{total}: {total} lines of C++, more than {CPP_LINES}"


def check(root):
    for path in common.files(root, CODE, common.C_SUFFIXES):
        yield from check_file(root, path)
    yield from check_cpp(root, common.files(root, suffixes=CPP_SUFFIXES))


if __name__ == "__main__":
    common.main(check)
