"""Each library and the system's interface are known to one file only; libcurl's
exchanges, options, forms, addresses and failures are five."""
import re

import common

CODE = ("src", "plugin", "include")
OWNERS = (
    (re.compile(r"^curl/"), ("src/giq_http.c", "src/giq_net.c", "src/giq_form.c",
                             "src/giq_address.c", "src/giq_failure.c")),
    (re.compile(r"^(cjson/)?cJSON\w*\.h$"), ("src/giq_json.c",)),
    (re.compile(r"^geos"), ("src/giq_geos_parts.h",)),
    (re.compile(r"^openssl/"), ("src/giq_digest.c",)),
    (re.compile(r"^zlib\.h$"), ("src/giq_gzip.c",)),
    (re.compile(r"^archive(_entry)?\.h$"), ("src/giq_libarchive.h",)),
    (re.compile(r"^dlfcn\.h$"), ("src/giq_libarchive.c",)),
    (re.compile(r"^(sys|net|netinet|arpa)/|^(aio|dirent|fcntl|fnmatch|ftw|glob|grp"
                r"|netdb|poll|pthread|pwd|sched|semaphore|spawn|syslog|termios"
                r"|time|utime)\.h$"), ("src/giq_os.c",)),
    (re.compile(r"^(signal|unistd)\.h$"), ("src/giq_os.c", "plugin/giq_interrupt.c")),
)
# <threads.h> brings <time.h> along, so the clock is also looked for by its calls.
CLOCK = re.compile(r"(?<![\w.>])(clock|clock_\w+|gettimeofday|gmtime(_r)?|localtime(_r)?"
                   r"|mktime|nanosleep|sleep|thrd_sleep|time|timegm|timespec_get|usleep)"
                   r"\s*\(")
# The first is not thread-safe, the second another function in each C library.
ERROR_WORDS = re.compile(r"(?<![\w.>])(strerror|strerror_r)\s*\(")
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
CPP_SUFFIXES = (".cpp", ".cc", ".cxx", ".hpp")
CPP_FILE, CPP_LINES = "plugin/giq_driver.cpp", 80


def blank(match):
    return "\n" * match[0].count("\n") or " "


def calls(root, path, pattern):
    """(number, name) of every call of these functions, outside comments and strings."""
    text = "\n".join(line for _, line in common.lines(root, path))
    for number, line in enumerate(NOT_CODE.sub(blank, text).split("\n"), 1):
        for match in pattern.finditer(line):
            yield number, match[1]


def check_file(root, path):
    for number, _, name in common.includes(root, path):
        for pattern, owners in OWNERS:
            if pattern.match(name) and path not in owners:
                yield f"{path}:{number}: {name} is for {', '.join(owners)} only"
    if path != "src/giq_os.c":
        for number, name in calls(root, path, CLOCK):
            yield f"{path}:{number}: {name}() is for src/giq_os.c only"
    for number, name in calls(root, path, ERROR_WORDS):
        yield f"{path}:{number}: {name}() is not portable: use giq_error_words()"


def check_cpp(root, path):
    count = len(common.lines(root, path))
    if path != CPP_FILE:
        yield f"{path}:1: C++ is for {CPP_FILE} only"
    elif count > CPP_LINES:
        yield f"{path}:{count}: {count} lines of C++, more than {CPP_LINES}"


def check(root):
    for path in common.files(root, CODE, common.C_SUFFIXES):
        yield from check_file(root, path)
    for path in common.files(root, suffixes=CPP_SUFFIXES):
        yield from check_cpp(root, path)


if __name__ == "__main__":
    common.main(check)
