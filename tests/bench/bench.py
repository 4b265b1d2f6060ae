#!/usr/bin/python3
"""Measures the driver side by side with what a user would do without it, in one run:

  sh tests/bench.sh [--runs 15] [--only PART ...] [--keep]

Prints a table in Markdown: medians, the ratio of ours to theirs with its interval, and
the bound that the project sets itself, in bold where it is missed. With --keep the rows
also go into RESULTS.md, and those that README.md shows already into it, between the lines
BEGIN and END of each. Nothing here is a test: times are not asserted anywhere.
"""
import argparse
import os
import pathlib
import tempfile

import measure_area
import measure_batch
import measure_cluster
import measure_download
import measure_files
import measure_many
import measure_qgis
import measure_script
import measure_upload
import measure_waiting
import measure_warm
from side_by_side import ROOT, Place, Table, first_line, gdal_version

PARTS = {
    "loading": lambda table, place, o: measure_warm.measure_loading(table, place, o.runs),
    "warm": lambda table, place, o: measure_warm.measure(table, place, o.runs),
    "download": lambda table, place, o: measure_download.measure(table, place, o.runs),
    "upload": lambda table, place, o: measure_upload.measure(table, place, o.runs),
    "end": lambda table, place, o: measure_waiting.measure(
        table, o.build, place.folder, o.runs),
    "script": lambda table, place, o: measure_script.measure(
        table, o.build, place.folder, o.runs),
    "submission": lambda table, place, o: measure_many.measure_submission(
        table, place, o.runs),
    "records": lambda table, place, o: measure_many.measure_records(table, place, o.runs),
    "files": lambda table, place, o: measure_files.measure(
        table, o.build, place.folder, o.runs),
    "area": lambda table, place, o: measure_area.measure(table, place, o.runs),
    "cluster": lambda table, place, o: measure_cluster.measure(
        table, o.build, place.folder, o.runs),
    "qgis": lambda table, place, o: measure_qgis.measure(table, o.build, place.folder),
    "batch": lambda table, place, o: measure_batch.measure(
        table, o.build, place.folder, o.runs),
}
RESULTS = ROOT / "tests/bench/RESULTS.md"
README = ROOT / "README.md"
BEGIN = "<!-- what tests/bench.sh measured -->"
END = "<!-- so far tests/bench.sh -->"


def machine():
    """What the numbers were measured with."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    curl = " ".join(first_line("curl", "--version").split()[:2])
    return f"{os.cpu_count()} processors, {gib:.0f} GiB, {gdal_version()}, {curl}"


def rows_by_name(lines):
    """The rows of a table by their first cells, in the order of the table."""
    return {row.split("|")[1]: row for row in lines if row.startswith("|")}


def parts_of(path):
    """The text before BEGIN, the lines from there to END, and the text after END."""
    before, rest = path.read_text().split(BEGIN)
    kept, after = rest.split(END)
    return before, kept.split("\n"), after


def write(path, head, rows):
    before, _, after = parts_of(path)
    text = "\n".join([head, "", *rows])
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def keep(measured, is_whole):
    """What was not measured now stays in RESULTS, unless everything was measured."""
    _, kept, _ = parts_of(RESULTS)
    head = f"Measured on {machine()}." if is_whole else kept[1]
    rows = measured if is_whole else {**rows_by_name(kept), **measured}
    write(RESULTS, head, rows.values())
    _, kept, _ = parts_of(README)
    write(README, head, [measured.get(name, row)
                         for name, row in rows_by_name(kept).items()])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=lambda text: pathlib.Path(text).resolve(),
                        default=ROOT / "build-release")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    print(machine(), end="\n\n")
    table = Table()
    with tempfile.TemporaryDirectory(prefix="giq-bench-") as folder:
        place = Place(options.build, pathlib.Path(folder))
        try:
            for part in options.only:
                PARTS[part](table, place, options)
        finally:
            place.stop()
    if options.keep:
        keep(rows_by_name(table.rows), options.only == list(PARTS))


if __name__ == "__main__":
    main()
