"""One request through the driver: dry run, submit, wait by looks, and the result."""
from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable

from osgeo import gdal

from . import names
from .opening import Opening, wait

FINAL = ("succeeded", "published")
BAD = ("failed", "unknown", "gone", "damaged")
FIRST_PAUSE_S, SHORTEST_S, LONGEST_S = 0.25, 0.25, 30.0

# The algorithms lift the guard of the desktop for their own threads alone.
LIFTED = {"GIQ_SUBMIT": "IF_MISSING", "GIQ_FETCH": "YES"}
DRY = {"GIQ_SUBMIT": "NO"}
# What is fetched or looked at is never paid for.
FETCHING = {"GIQ_SUBMIT": "NO", "GIQ_FETCH": "YES"}


class DriverError(Exception):
    """The driver's whole text."""


@dataclass
class Watcher:
    """How the caller follows a request."""
    is_cancelled: Callable[[], bool]
    say: Callable[[str], None] = lambda text: None
    progress: Callable[[dict[str, Any]], None] = lambda state: None


@dataclass
class Member:
    """A dataset in the result of a job."""
    source: str
    name: str
    is_raster: bool
    layers: list[str] = field(default_factory=list)


def rows_of(dataset: gdal.Dataset) -> list[dict[str, Any]]:
    """The rows of a table of jobs, without the areas."""
    layer = dataset.GetLayer(0)
    rows = []
    for feature in layer:
        rows.append({feature.GetFieldDefnRef(i).GetName():
                     feature.GetField(i) if feature.IsFieldSetAndNotNull(i) else None
                     for i in range(feature.GetFieldCount())})
    return rows


def table(name: str, settings: dict[str, str], watcher: Watcher) -> list[dict[str, Any]]:
    """Open a table of the driver and read its rows."""
    opening = Opening(name, gdal.OF_VECTOR, settings=settings, read=rows_of)
    rows = opening.run(watcher.is_cancelled, watcher.progress)
    return checked(opening, rows, watcher)


def checked(opening: Opening, value: Any, watcher: Watcher) -> Any:
    """`value`, unless the open has failed."""
    assert opening.opened is not None
    for text in opening.opened.warnings:
        watcher.say(text)
    if opening.opened.error:
        raise DriverError(opening.opened.error)
    return value


def without_wait(name: str) -> str:
    return f"{name};wait=no"


def dry_run(name: str, watcher: Watcher, settings: dict[str, str]) -> dict[str, Any]:
    """What would be sent, without a call: a row of the table of jobs."""
    return table(without_wait(name), {**settings, **DRY}, watcher)[0]


def start_dry_run(name: str, settings: dict[str, str], files: list[str]) -> Opening:
    """The same in the background; `value` of the opening are the rows. The temporary
    files are removed at its end."""
    opening = Opening(without_wait(name), gdal.OF_VECTOR, settings={**settings, **DRY},
                      read=rows_of, files=files)
    opening.start()
    return opening


def submit(name: str, watcher: Watcher, settings: dict[str, str]) -> dict[str, Any]:
    """Submit the request, or find its job."""
    return table(without_wait(name), {**settings, **LIFTED}, watcher)[0]


def look(job: str, watcher: Watcher) -> dict[str, Any]:
    """One status call for an unfinished job, none for a finished one."""
    return table(without_wait(names.of_job(job)), dict(FETCHING), watcher)[0]


def next_pause(pause_s: float, waited_s: float) -> float:
    """Growing by half, and never longer than a twelfth of the time already waited."""
    longest = min(LONGEST_S, max(SHORTEST_S, waited_s / 12))
    return min(pause_s * 1.5, longest)


def await_job(row: dict[str, Any], watcher: Watcher, timeout_s: float) -> dict[str, Any]:
    """Look at the job until it has ended; the row of its end. Raises DriverError with the
    driver's advice if it ended badly, and if the time is over."""
    began = time.monotonic()
    pause = FIRST_PAUSE_S
    said = None
    while row["state"] not in FINAL:
        if row["state"] in BAD:
            raise DriverError(row["error"] or f"the job is {row['state']}")
        waited = time.monotonic() - began
        if row["status"] != said:
            said = row["status"]
            watcher.say(f"job {row['job_id']} {said}")
        watcher.progress({"phase": "wait", "job": row["job_id"], "status": said,
                          "waited_s": int(waited), "expected_s": None})
        if waited >= timeout_s:
            raise DriverError(f"the job {row['job_id']} was not finished after "
                              f"{timeout_s:g} s; it continues, and running the same "
                              "again resumes the wait without paying again")
        wait(min(pause, max(timeout_s - waited, 0)), watcher.is_cancelled)
        pause = next_pause(pause, waited)
        row = look(row["job_id"], watcher)
    return row


def _members_of(job: str) -> Callable[[gdal.Dataset], list[Member]]:
    def read(dataset: gdal.Dataset) -> list[Member]:
        inner = dataset.GetMetadata("SUBDATASETS") or {}
        sources = [inner[key] for key in sorted(inner, key=_number_of)
                   if key.endswith("_NAME")]
        if not sources:
            return [_member(dataset, names.of_job(job), "")]
        members = []
        for source in sources:
            part = gdal.OpenEx(source, gdal.OF_VECTOR | gdal.OF_RASTER)
            if part is not None:
                members.append(_member(part, source, source.split("member=", 1)[-1]))
        return members
    return read


def _number_of(key: str) -> int:
    return int("".join(c for c in key if c.isdigit()) or 0)


def _member(dataset: gdal.Dataset, source: str, name: str) -> Member:
    layers = [dataset.GetLayer(i).GetName() for i in range(dataset.GetLayerCount())]
    return Member(source, name.strip("\"'"), dataset.RasterCount > 0, layers)


def fetch(job: str, watcher: Watcher) -> list[Member]:
    """Download the result of a job that has succeeded, unless it is in the store."""
    opening = Opening(names.of_job(job), gdal.OF_VECTOR | gdal.OF_RASTER,
                      settings=dict(FETCHING), read=_members_of(job))
    members = opening.run(watcher.is_cancelled, watcher.progress)
    return checked(opening, members, watcher)


def unfinished(rows: list[dict[str, Any]]) -> list[str]:
    """The ids of jobs that may have changed since they were recorded."""
    return [row["job_id"] for row in rows if row["state"] == "submitted" and row["job_id"]]
