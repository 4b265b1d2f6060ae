"""Every check finds the fault that it is there for, and says where and why.

For each case a tree with one fault is written to a temporary folder. The tree
without the fault passes all the checks.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOUND = {
    ".clang-format": "BasedOnStyle: LLVM\n",
    "CMakeLists.txt": "project(giq)\n",
    "include/giq/giq.h": "#include <stdint.h>\n",
    "plugin/giq_driver.cpp": '#include "giq/giq.h"\n',
    "src/README.md": "| layer | modules |\n|-|-|\n| 0 | os |\n| 2 | http |\n"
                     "| plugin | driver |\n",
    "src/giq_os.c": '#include "giq_buf.h"\n#include <unistd.h>\n',
    "src/giq_http.c": '#include "giq_text.h"\n#include <curl/curl.h>\n',
    "tests/unit/test_giq_os.c": '#include "giq_os.h"\n#include <unistd.h>\n',
}


def function(count):
    return "int f(int a) {\n" + "  a++;\n" * (count - 3) + "  return a;\n}\n"


# Check, file of the fault, its content, and what the check has to print.
CASES = (
    ("layers", "src/giq_buf.c", '#include "giq_job.h"\n',
     "src/giq_buf.c:1: giq_buf of layer 0 includes giq_job.h of the higher layer 4"),
    ("layers", "src/giq_text.c", '\n#include "giq_buf.h"\n',
     "src/giq_text.c:2: giq_text may not include giq_buf.h of its own layer 0"),
    ("layers", "src/giq_new.c", "", "src/giq_new.c:1: giq_new has no layer"),
    ("layers", "src/giq_os.h", '#include "other.h"\n', "src/giq_os.h:1: other.h is no"),
    ("layers", "src/giq_geom.c", "#include <cpl_conv.h>\n",
     "src/giq_geom.c:1: src knows no GDAL, but includes cpl_conv.h"),
    ("layers", "plugin/giq_open.c", '#include "giq_job.h"\n',
     "plugin/giq_open.c:1: the plugin includes only giq/giq.h"),
    ("layers", "plugin/giq_open.c", '#include "../src/giq_os.c"\n',
     "plugin/giq_open.c:1: the plugin includes only giq/giq.h"),
    ("layers", "include/giq/giq.h", "#include <gdal.h>\n",
     "include/giq/giq.h:1: gdal.h is no standard header"),
    ("layers", "tests/sandbox/main.c", '#include "giq/giq.h"\n',
     "tests/sandbox/main.c:1: the sandbox shares nothing with the driver"),
    ("foreign", "src/giq_api.c", "#include <curl/curl.h>\n",
     "src/giq_api.c:1: curl/curl.h is for src/giq_http.c, src/giq_net.c"),
    ("foreign", "src/giq_api.c", "#include <cJSON.h>\n", "for src/giq_json.c only"),
    ("foreign", "src/giq_api.c", "#include <geos_c.h>\n", "for src/giq_geos_parts.h only"),
    ("foreign", "src/giq_api.c", "#include <openssl/evp.h>\n", "src/giq_digest.c only"),
    ("foreign", "src/giq_api.c", "#include <archive_entry.h>\n",
     "for src/giq_libarchive.h only"),
    ("foreign", "plugin/giq_open.c", "#include <sys/stat.h>\n",
     "plugin/giq_open.c:1: sys/stat.h is for src/giq_os.c only"),
    ("foreign", "src/giq_api.c", "char *t(int e) { return strerror_r(e, 0, 0); }\n",
     "src/giq_api.c:1: strerror_r() is not portable: use giq_error_words()"),
    ("foreign", "src/giq_api.c", "/* time(\n */\nlong t(void) { return time(0); }\n",
     "src/giq_api.c:3: time() is for src/giq_os.c only"),
    ("foreign", "tests/unit/more.cpp", "", "tests/unit/more.cpp:1: C++ is for"),
    ("foreign", "plugin/giq_driver.cpp", "//\n" * 81,
     "plugin/giq_driver.cpp:81: 81 lines of C++, more than 80"),
    ("length", "tests/long.py", "#\n" * 801, "tests/long.py:801: 801 lines"),
    ("length", "src/giq_api.c", "\n" + function(41),
     "src/giq_api.c:2: f() has 41 lines, more than 40"),
    ("length", "src/giq_api.h", function(41), "src/giq_api.h:1: f() has 41 lines"),
    ("length", "plugin/giq_driver.cpp", function(41), ".cpp:1: f() has 41 lines"),
    ("format", "src/giq_api.c", "int  f(void);\n", "src/giq_api.c:1:4: error: code"),
    ("format", "plugin/giq_driver.cpp", "int  f();\n", "plugin/giq_driver.cpp:1:4: "),
    ("readme", "src/giq_url.c", "", "src/README.md:1: giq_url is not named"),
    ("readme", "plugin/giq_new.c", "", "src/README.md:1: giq_new is not named"),
    ("readme", "src/README.md", "| layer | modules |\n|-|-|\n| 1 | os |\n",
     "src/README.md:3: no giq_os in layer 1"),
    ("readme", "src/README.md", "| layer | modules |\n|-|-|\n| 2 | http, gone |\n",
     "src/README.md:3: no giq_gone in layer 2"),
    ("readme", "src/README.md", "\n" * 61, "src/README.md:61: 61 lines, more than 60"),
    ("text", "README.md", "\nT" + "ODO: more\n", "README.md:2: unfinished: T" + "ODO"),
    ("text", "src/giq_api.c", "#if" + " 0\n", "src/giq_api.c:1: dead code: #if"),
    ("text", "src/giq_api.c", "\tint a;\n", "src/giq_api.c:1: a tab"),
    ("text", "cmake/a.cmake", "project() \n", "cmake/a.cmake:1: white space at the end"),
    ("text", "tests/run.sh", "cd /ho" + "me/me\n", "tests/run.sh:1: a path of one"),
    ("text", "notes/a.md", "", "notes:1: not one of the names that the root may hold"),
)
SOUND_CASES = (
    ("length", "src/giq_api.c", function(40)),
    ("length", "src/giq_buf.c", "//\n" * 800),
    ("length", "src/giq_buf.c", "struct s {\n" + "  int a;\n" * 50 + "};\n"),
    ("length", "plugin/giq_driver.cpp", "class c {\n" + "  int a;\n" * 50 + "};\n"),
    ("foreign", "plugin/giq_driver.cpp", "//\n" * 80),
    ("foreign", "src/giq_api.c", "/* time() */\nlong x_time(void);\n"),
    ("layers", "src/giq_store.c", '#include "giq_record.h"\n'),
    ("layers", "plugin/giq_open.c", '#include "gdal.h"\n'),
    ("layers", "include/giq/outside.h", '#include "giq/giq.h"\n'),
    ("text", "README.md", "file:///ho" + "me/x, https://a.org/work/, a/work/b\n"),
)


def write(root, tree):
    for path, content in tree.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(content)


def run(check, *arguments):
    """Exit status and output of a check."""
    done = subprocess.run(
        [sys.executable, "-B", os.path.join(HERE, check + ".py"), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def run_on(check, tree):
    with tempfile.TemporaryDirectory() as root:
        write(root, tree)
        return run(check, root)


def run_exports(source):
    with tempfile.TemporaryDirectory() as root:
        write(root, {"a.c": source})
        library = os.path.join(root, "a.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library,
                        os.path.join(root, "a.c")], check=True)
        return run("exports", root, library)


def outcomes():
    """(what was tried, status and output, what must be printed or None if sound)."""
    for check in ("layers", "foreign", "length", "format", "text", "readme"):
        yield check, run_on(check, SOUND), None
    for check, path, content in SOUND_CASES:
        yield f"{check} of {path}", run_on(check, {**SOUND, path: content}), None
    for check, path, content, expected in CASES:
        yield f"{check} of {path}", run_on(check, {**SOUND, path: content}), expected
    entry = "void GDALRegister_GIQ(void) {}\n"
    yield "exports", run_exports(entry), None
    yield "exports", run_exports(entry + "int more;\n"), "a.so:1: exports more"
    yield "exports", run_exports("\n"), "a.so:1: does not export GDALRegister_GIQ"


def main():
    failures = 0
    for tried, (status, output), expected in outcomes():
        if expected is None and (status, output) != (0, ""):
            print(f"{tried}: a sound tree fails:\n{output}")
            failures += 1
        if expected is not None and (status != 1 or expected not in output):
            print(f"{tried}: status {status} without '{expected}':\n{output}")
            failures += 1
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
