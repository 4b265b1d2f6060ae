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
    "plugin/giq_driver.cpp": '#include "giq/giq.h"\n#include "options/giq_config.h"\n',
    "plugin/qgis/giq/plugin.py": '"""Nothing."""\n',
    "src/README.md": "| folder | modules |\n|-|-|\n| `src/base` | os |\n"
                     "| `src/net` | http |\n| `plugin` | driver |\n",
    "src/base/giq_os.c": '#include "base/giq_buf.h"\n#include <unistd.h>\n',
    "src/net/giq_http.c": '#include "base/giq_text.h"\n#include <curl/curl.h>\n',
    "tests/unit/test_giq_os.c": '#include "base/giq_os.h"\n#include <unistd.h>\n',
}


def function(count):
    return "int f(int a) {\n" + "  a++;\n" * (count - 3) + "  return a;\n}\n"


PLUGIN = "plugin/qgis/giq/plugin.py"

# Check, file of the fault, its content, and what the check has to print.
CASES = (
    ("folders", "src/base/giq_buf.c", '#include "job/giq_job.h"\n',
     "src/base/giq_buf.c:1: src/base may not include job/giq_job.h: job/ is not below it"),
    ("folders", "src/store/giq_lock.c", '\n#include "net/giq_http.h"\n',
     "src/store/giq_lock.c:2: src/store may not include net/giq_http.h"),
    ("folders", "src/giq_new.c", "", "src/giq_new.c:1: this folder has no rule"),
    ("folders", "src/base/giq_os.h", '#include "giq_buf.h"\n',
     "src/base/giq_os.h:1: giq_buf.h is not the header of a module"),
    ("folders", "src/area/giq_geom.c", "#include <cpl_conv.h>\n",
     "src/area/giq_geom.c:1: src/ knows no GDAL, but includes cpl_conv.h"),
    ("folders", "plugin/giq_open.c", '#include "job/giq_job.h"\n',
     "plugin/giq_open.c:1: job/giq_job.h is not the header of a module"),
    ("folders", "plugin/giq_open.c", '#include "../src/base/giq_os.c"\n',
     "plugin/giq_open.c:1: the plugin includes include/giq/ and headers of its own"),
    ("folders", "plugin/options/giq_config.c", '#include "area/giq_area.h"\n',
     "plugin/options/giq_config.c:1: plugin/options may not include area/giq_area.h"),
    ("folders", "plugin/area/giq_aoi.c", '#include "giq_report.h"\n',
     "plugin/area/giq_aoi.c:1: plugin/area may not include giq_report.h: plugin/ is not"),
    ("folders", "src/base/giq_buf.h", '#include "base/giq_os.h"\n',
     "src/base/giq_buf:1: includes src/base/giq_os, which includes it in turn"),
    ("folders", "include/giq/giq.h", "#include <gdal.h>\n",
     "include/giq/giq.h:1: gdal.h is not a standard header"),
    ("folders", "tests/sandbox/main.c", '#include "giq/giq.h"\n',
     "tests/sandbox/main.c:1: the sandbox shares nothing with the driver"),
    ("foreign", "src/service/giq_api.c", "#include <curl/curl.h>\n",
     "src/service/giq_api.c:1: curl/curl.h is for src/net/giq_http.c, src/net/giq_http_options.c"),
    ("foreign", "src/service/giq_api.c", "#include <cJSON.h>\n",
     "for src/base/giq_json.c only"),
    ("foreign", "src/service/giq_api.c", "#include <geos_c.h>\n",
     "for src/area/giq_geos_parts.h only"),
    ("foreign", "src/service/giq_api.c", "#include <openssl/evp.h>\n",
     "src/store/giq_digest.c only"),
    ("foreign", "src/service/giq_api.c", "#include <archive_entry.h>\n",
     "for src/result/giq_libarchive.h only"),
    ("foreign", "plugin/giq_open.c", "#include <sys/stat.h>\n",
     "plugin/giq_open.c:1: sys/stat.h is for src/base/giq_os.c, src/base/giq_os_lock.c, "),
    ("foreign", "src/service/giq_api.c", "char *t(int e) { return strerror_r(e, 0, 0); }\n",
     "src/service/giq_api.c:1: strerror_r() is not portable: use giq_error_strerror()"),
    ("foreign", "src/service/giq_api.c", "/* time(\n */\nlong t(void) { return time(0); }\n",
     "src/service/giq_api.c:3: time() is for src/base/giq_os.c only"),
    ("foreign", "plugin/giq_open.c", "static _Thread_local int depth;\n",
     "plugin/giq_open.c:1: _Thread_local is not for a library that is loaded at run time"),
    ("foreign", "tests/unit/more.cpp", "", "tests/unit/more.cpp:1: C++ is for"),
    ("foreign", "plugin/giq_more.cpp", "//\n" * 599,
     "plugin/:601: 601 lines of C++, more than 600"),
    ("length", "tests/long.py", "#\n" * 801, "tests/long.py:801: 801 lines"),
    ("length", "src/service/giq_api.c", "\n" + function(61),
     "src/service/giq_api.c:2: f() has 61 lines, more than 60"),
    ("length", "src/service/giq_api.h", function(61),
     "src/service/giq_api.h:1: f() has 61 lines"),
    ("length", "plugin/giq_driver.cpp", function(61), ".cpp:1: f() has 61 lines"),
    ("format", "src/service/giq_api.c", "int  f(void);\n",
     "src/service/giq_api.c:1:4: error: code"),
    ("format", "plugin/giq_driver.cpp", "int  f();\n", "plugin/giq_driver.cpp:1:4: "),
    ("readme", "src/net/giq_url.c", "", "src/README.md:1: giq_url is not named"),
    ("readme", "plugin/giq_new.c", "", "src/README.md:1: giq_new is not named"),
    ("readme", "src/README.md", "| folder | modules |\n|-|-|\n| src/net | os |\n",
     "src/README.md:3: no giq_os in src/net"),
    ("readme", "src/README.md", "| folder | modules |\n|-|-|\n| src/net | http, gone |\n",
     "src/README.md:3: no giq_gone in src/net"),
    ("readme", "src/README.md", "\n" * 61, "src/README.md:61: 61 lines, more than 60"),
    ("pages", "README.md", "\n[a](src/gone.md)\n", "README.md:2: no file src/gone.md"),
    ("pages", "plugin/a.md", "# A b\n[a](#a-c)\n", "a.md:2: plugin/a.md has no section a-c"),
    ("pages", "plugin/a.md", "[a](../src/README.md#a)\n", "src/README.md has no section a"),
    ("pages", "README.md", "\n" * 251, "README.md:251: 251 lines, more than 250"),
    ("text", "README.md", "\nT" + "ODO: more\n", "README.md:2: unfinished: T" + "ODO"),
    ("text", "src/service/giq_api.c", "#if" + " 0\n",
     "src/service/giq_api.c:1: dead code: #if"),
    ("text", "src/service/giq_api.c", "\tint a;\n", "src/service/giq_api.c:1: a tab"),
    ("text", "cmake/a.cmake", "project() \n", "cmake/a.cmake:1: white space at the end"),
    ("text", "tests/run.sh", "cd /ho" + "me/me\n", "tests/run.sh:1: a path of one"),
    ("python", PLUGIN, "from PyQt5.QtCore import QTimer\n",
     "plugin.py:1: PyQt5: import qgis.PyQt, which is there for each Qt"),
    ("python", PLUGIN, "\nimport urllib.request\n", "plugin.py:2: urllib: the driver alone"),
    ("python", PLUGIN, "level = Qgis.Warning\n", "plugin.py:1: Qgis.Warning: Qt 6 needs the"),
    ("python", PLUGIN, "def f(:\n", "plugin.py:1: cannot be parsed"),
    ("python", PLUGIN, "#" * 96 + "\n", "plugin.py:1: 96 columns, more than 95"),
    ("python", PLUGIN, "def f(a):\n    return a\n", "plugin.py:1: f() has no type hint"),
    ("text", "notes/a.md", "", "notes:1: not one of the names that the root may hold"),
)
SOUND_CASES = (
    ("length", "src/service/giq_api.c", function(60)),
    ("length", "src/base/giq_buf.c", "//\n" * 800),
    ("length", "src/base/giq_buf.c", "struct s {\n" + "  int a;\n" * 50 + "};\n"),
    ("length", "plugin/giq_driver.cpp", "class c {\n" + "  int a;\n" * 50 + "};\n"),
    ("foreign", "plugin/giq_more.cpp", "//\n" * 598),
    ("foreign", "src/service/giq_api.c", "/* time() */\nlong x_time(void);\n"),
    ("foreign", "src/base/giq_text.c", "#include <time.h>\nlong t(struct tm *tm)\n"
     "{ return timegm(gmtime_r(0, tm)); }\n"),
    ("folders", "src/store/giq_store.c", '#include "store/giq_record.h"\n'),
    ("folders", "src/job/giq_job.c", '#include "area/giq_rings.h"\n'),
    ("folders", "plugin/giq_open.c", '#include "gdal.h"\n#include "giq_report.h"\n'),
    ("folders", "include/giq/external.h", '#include "giq/giq.h"\n'),
    ("python", PLUGIN, "from qgis.PyQt.QtCore import QTimer\n"
     "kind = QgsProcessing.SourceType.TypeVector\nmade = QgsVectorFileWriter.Options()\n"),
    ("pages", "plugin/a.md", "# A `b`: c-d\n[a](#a-b-c-d) [b](../src/README.md)\n"
     "[c](https://a.org/b#c)\n```\n[d](gone.md)\n```\n"),
    ("text", "README.md", "file:///ho" + "me/x, https://a.org/wo" + "rk/, a/wo" + "rk/b\n"),
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
    for check in ("folders", "foreign", "length", "format", "text", "readme", "pages",
                  "python"):
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
