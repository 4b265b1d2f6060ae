"""One request through the driver: dry run, submit, check until it has ended, fetch."""
from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from osgeo import gdal

from . import names
from .driver import open_dataset
from .opening import Opening, wait

FINAL = ("succeeded", "published")
WAITING = "submitted"  # the only state that the service may change
SUBMITTED = ("sending", WAITING, *FINAL)  # paid for, and not failed
NOT_SENT = ("not submitted", "intent")  # no run request was sent, or it was refused
FIRST_PAUSE_S, SHORTEST_S, LONGEST_S = 0.25, 0.25, 30.0

# With it an open starts no job, so what is checked or fetched is never paid for.
UNPAID = ["SUBMIT=NO"]


class DriverError(Exception):
    """Its text is the whole error of the driver."""


@dataclass
class Watcher:
    """How the caller follows a request."""
    is_cancelled: Callable[[], bool]
    log: Callable[[str], None] = lambda text: None
    progress: Callable[[dict[str, Any]], None] = lambda state: None


@dataclass
class Member:
    """A dataset in the result of a job."""
    source: str
    name: str
    is_raster: bool
    layers: list[str] = field(default_factory=list)


@dataclass
class Check:
    """The row of a job, how long ago it was submitted, and how long it is expected to
    take."""
    row: dict[str, Any]
    waited_s: Optional[float] = None
    expected_s: Optional[float] = None


def rows_of(dataset: gdal.Dataset) -> list[dict[str, Any]]:
    """The rows of a table of jobs, without the areas."""
    layer = dataset.GetLayer(0)
    rows = []
    for feature in layer:
        rows.append({feature.GetFieldDefnRef(i).GetName():
                     feature.GetField(i) if feature.IsFieldSetAndNotNull(i) else None
                     for i in range(feature.GetFieldCount())})
    return rows


def run_opening(opening: Opening, watcher: Watcher) -> Any:
    """What the opening read. Raises DriverError."""
    value = opening.run(watcher.is_cancelled, watcher.progress)
    assert opening.opened is not None
    for text in opening.opened.warnings:
        watcher.log(text)
    if opening.opened.error:
        raise DriverError(opening.opened.error)
    return value


def table(name: str, watcher: Watcher, options: list[str]) -> list[dict[str, Any]]:
    """Open a table of the driver and read its rows."""
    return run_opening(Opening(name, options=options, read=rows_of), watcher)


def without_wait(name: str) -> str:
    return f"{name};wait=no"


def dry_run(name: str, watcher: Watcher, options: list[str]) -> dict[str, Any]:
    """What would be sent, without a call: a row of the table of jobs."""
    return table(without_wait(name), watcher, [*options, *UNPAID])[0]


def start_dry_run(make: Callable[[Callable[[], bool]], tuple[str, list[str]]],
                  options: list[str], tell: Callable[[dict[str, Any]], str]) -> Opening:
    """The same in the background, of what `make` makes, see RunAlgorithm.request(); `value`
    of the opening is what `tell` makes of the row. Both are called in its thread."""
    def request(is_cancelled: Callable[[], bool]) -> tuple[str, list[str]]:
        name, files = make(is_cancelled)
        return without_wait(name), files

    opening = Opening(request, options=[*options, *UNPAID],
                      read=lambda dataset: tell(rows_of(dataset)[0]))
    opening.start()
    return opening


def _check(opening: Opening, watcher: Watcher) -> Check:
    row = run_opening(opening, watcher)[0]
    return Check(row, opening.last.get("waited_s"), opening.last.get("expected_s"))


def submit(name: str, watcher: Watcher, options: list[str]) -> Check:
    """Submit the request, or find its job. Raises DriverError for a job that has failed."""
    found = _check(Opening(without_wait(name), options=options, read=rows_of), watcher)
    if not _can_succeed(found.row):
        fail(name, found.row, watcher, options)
    return found


def check(job: str, watcher: Watcher) -> Check:
    """One status call for an unfinished job, none for a finished one."""
    return _check(Opening(without_wait(names.of_job(job)), options=UNPAID, read=rows_of),
                  watcher)


def _can_succeed(row: dict[str, Any]) -> bool:
    return row["state"] in (WAITING, *FINAL) and bool(row["job_id"])


def fail(name: str, row: dict[str, Any], watcher: Watcher, options: list[str]) -> None:
    """Raise the driver's own error for a request that cannot succeed any more."""
    run_opening(Opening(name, gdal.OF_VECTOR | gdal.OF_RASTER, options=[*options, *UNPAID]),
                watcher)
    raise DriverError(row["error"] or f"the job is {row['state']}")


def next_pause(pause_s: float, waited_s: float, expected_s: Optional[float] = None) -> float:
    """Growing by half, never longer than a twelfth of the time already waited, and not
    beyond the time at which the job is expected to end."""
    longest = min(LONGEST_S, waited_s / 12)
    if expected_s is not None and expected_s > waited_s:
        longest = min(longest, expected_s - waited_s)
    return min(pause_s * 1.5, max(SHORTEST_S, longest))


def await_job(found: Check, watcher: Watcher, timeout_s: float) -> dict[str, Any]:
    """Check the job until it has succeeded; its row. Raises DriverError with the
    driver's advice if it ended in another way, and if `timeout_s` has passed."""
    began = time.monotonic()
    pause = FIRST_PAUSE_S
    reported = None
    while found.row["state"] not in FINAL:
        row = found.row
        if not _can_succeed(row):
            fail(names.of_job(row["job_id"]), row, watcher, [])
        own_wait_s = time.monotonic() - began
        waited = max(own_wait_s, found.waited_s or 0)
        if row["status"] != reported:
            reported = row["status"]
            watcher.log(f"job {row['job_id']} {reported}")
        watcher.progress({"phase": "wait", "job": row["job_id"], "status": reported,
                          "waited_s": int(waited), "expected_s": found.expected_s})
        if own_wait_s >= timeout_s:
            raise DriverError(f"the job {row['job_id']} was not finished after "
                              f"{timeout_s:g} s; it continues, and running the same "
                              "again resumes the wait without paying again")
        wait(min(pause, timeout_s - own_wait_s), watcher.is_cancelled)
        pause = next_pause(pause, waited, found.expected_s)
        found = check(row["job_id"], watcher)
    return found.row


def open_member(source: str) -> gdal.Dataset:
    opened = open_dataset(source, gdal.OF_VECTOR | gdal.OF_RASTER, UNPAID)
    if opened.dataset is None:
        raise DriverError(opened.error)
    return opened.dataset


def _members_of(job: str) -> Callable[[gdal.Dataset], list[Member]]:
    def read(dataset: gdal.Dataset) -> list[Member]:
        inner = dataset.GetMetadata("SUBDATASETS") or {}
        members = []
        for number in range(1, len(inner) // 2 + 1):
            source = inner[f"SUBDATASET_{number}_NAME"]
            if source.startswith(names.of_job(job)):
                members.append(member_of(open_member(source), source,
                                         inner[f"SUBDATASET_{number}_DESC"]))
        return members or [member_of(dataset, names.of_job(job), "")]
    return read


def member_of(dataset: gdal.Dataset, source: str, name: str) -> Member:
    layers = [dataset.GetLayer(i).GetName() for i in range(dataset.GetLayerCount())]
    return Member(source, name, dataset.RasterCount > 0, layers)


def fetch(job: str, watcher: Watcher) -> list[Member]:
    """Download the result of a job that has succeeded, unless it is in the store."""
    return run_opening(Opening(names.of_job(job), gdal.OF_VECTOR | gdal.OF_RASTER,
                               options=UNPAID, read=_members_of(job)), watcher)


def was_not_sent(row: dict[str, Any]) -> bool:
    """Whether nothing was paid for a request: it was refused, or its turn did not come."""
    return row["state"] in NOT_SENT


def unfinished(rows: list[dict[str, Any]]) -> list[str]:
    """The ids of jobs that may have changed since they were recorded."""
    return [row["job_id"] for row in rows if row["state"] == WAITING and row["job_id"]]
