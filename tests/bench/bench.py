#!/usr/bin/python3
"""Measures the driver side by side with what a user would do without it, in one run:

  sh tests/bench.sh [--runs 15] [--only PART ...]

Prints a table in Markdown: medians, the ratio of ours to theirs with its interval, and
the bound that the project sets itself, in bold where it is missed. Nothing here is a
test: times are not asserted anywhere.
"""
import argparse
import pathlib
import tempfile

import measure_area
import measure_download
import measure_many
import measure_upload
import measure_waiting
import measure_warm
from side_by_side import ROOT, Place, Table

PARTS = {
    "loading": lambda table, place, o: measure_warm.measure_loading(table, place, o.runs),
    "warm": lambda table, place, o: measure_warm.measure(table, place, o.runs),
    "download": lambda table, place, o: measure_download.measure(table, place, o.runs),
    "upload": lambda table, place, o: measure_upload.measure(table, place, o.runs),
    "end": lambda table, place, o: measure_waiting.measure_end(
        table, o.build, place.folder, o.runs),
    "script": lambda table, place, o: measure_waiting.measure_script(
        table, o.build, place.folder, o.runs),
    "records": lambda table, place, o: measure_many.measure_records(table, place, o.runs),
    "area": lambda table, place, o: measure_area.measure(table, place, o.runs),
    "batch": lambda table, place, o: measure_many.measure_batch(table, place),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=lambda text: pathlib.Path(text).resolve(),
                        default=ROOT / "build-release")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="giq-bench-") as folder:
        place = Place(options.build, pathlib.Path(folder))
        try:
            measure_waiting.make_big_scene(place.folder)
            for part in options.only:
                PARTS[part](table, place, options)
        finally:
            place.stop()


if __name__ == "__main__":
    main()
