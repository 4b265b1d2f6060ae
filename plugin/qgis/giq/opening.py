"""One open in a thread of its own, which can be cancelled and reports its progress.

GDAL's open has no progress function and cannot be interrupted, but the driver looks for
a cancel file and writes a progress file. The thread that is cancelled may stay behind
until the response to a run request is recorded; nobody waits for it.
"""
from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
from typing import Any, Callable, Optional, Union

from osgeo import gdal

from . import guard
from .driver import Opened, open_dataset

POLL_S = 0.1  # between two checks of the thread
CANCEL_S = 0.5  # how long a cancelled open is waited for

# Threads that were left behind; kept so that they are not collected while they run.
_left_behind: set[threading.Thread] = set()


class Cancelled(Exception):
    """The user has cancelled; a thread may still record the response of the service."""


def remove_files(paths: list[str]) -> None:
    """Temporary ones, in a folder that QGIS removes when it ends."""
    for path in paths:
        with contextlib.suppress(OSError):
            os.remove(path)


class Opening:
    """An open of `name`, for which the guard of the desktop is lifted. `name` may be a
    function that makes it, and temporary files that are removed at the end: it is called in
    the thread of the open with a function that says whether that is cancelled. `options`
    are open options. `read` turns the dataset into the result, in the thread of the open."""

    def __init__(self, name: Union[str, Callable[[Callable[[], bool]],
                                                 tuple[str, list[str]]]],
                 flags: int = gdal.OF_VECTOR, *, options: Optional[list[str]] = None,
                 read: Optional[Callable[[gdal.Dataset], Any]] = None):
        self.opened: Optional[Opened] = None
        self.value: Any = None
        self.failure: Optional[BaseException] = None  # of `name` or `read`
        self.last: dict[str, Any] = {}  # the progress at the end
        self._name = name
        self._flags = flags
        self._options = options or []
        self._read = read
        self._files: list[str] = []
        self._is_cancelled = False
        self._folder = tempfile.mkdtemp(prefix="giq-")
        self._has_folder = True
        self._lock = threading.Lock()  # over making files in the folder and removing it
        self._cancel_file = os.path.join(self._folder, "cancel")
        # Renaming it to the cancel file also works on a full disk.
        self._ready_file = os.path.join(self._folder, "ready")
        with open(self._ready_file, "w", encoding="ascii"):
            pass
        self._progress_file = os.path.join(self._folder, "progress.json")
        self._thread = threading.Thread(target=self._work, name="giq-open")

    def start(self) -> None:
        _left_behind.add(self._thread)
        self._thread.start()

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def cancel(self) -> None:
        """From now on the thread begins no run request."""
        self._is_cancelled = True
        with self._lock:
            if not self._has_folder or os.path.exists(self._cancel_file):
                return
            try:
                os.rename(self._ready_file, self._cancel_file)
            except FileNotFoundError:  # the folder for temporary files was tidied up
                os.makedirs(self._folder, mode=0o700, exist_ok=True)
                with open(self._cancel_file, "w", encoding="ascii"):
                    pass

    def join(self, seconds: float) -> bool:
        """Whether the thread has ended within this time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def progress(self) -> dict[str, Any]:
        """What the driver wrote last; {} if it has not written yet."""
        try:
            with open(self._progress_file, encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def run(self, is_cancelled: Callable[[], bool],
            report: Optional[Callable[[dict[str, Any]], None]] = None) -> Any:
        """Start, wait, and return what `read` returned, or None for an open that failed:
        `opened.error` is then the driver's text. Raises Cancelled."""
        if is_cancelled():
            self._clean_up()
            raise Cancelled()
        self.start()
        while not self.join(POLL_S):
            if report is not None:
                state = self.progress()
                if state:
                    report(state)
            if is_cancelled():
                self.cancel()
                self.join(CANCEL_S)
                raise Cancelled()
        if self.failure is not None:
            raise self.failure
        return self.value

    def _work(self) -> None:
        settings = {**guard.lifted(), "GIQ_CANCEL_FILE": self._cancel_file,
                    "GIQ_PROGRESS_FILE": self._progress_file}
        try:
            for key, value in settings.items():
                gdal.SetThreadLocalConfigOption(key, value)
            name = self._name
            if not isinstance(name, str):
                name, self._files = name(lambda: self._is_cancelled)
            self.opened = open_dataset(name, self._flags,
                                       ["PROGRESS=NO", *self._options])
            if self.opened.dataset is not None and self._read is not None:
                self.value = self._read(self.opened.dataset)
            self.opened.dataset = None
        except BaseException as error:  # noqa: B902 - raised again in run()
            self.failure = error
        finally:
            self.last = self.progress()
            self._clean_up()
            _left_behind.discard(self._thread)

    def _clean_up(self) -> None:
        remove_files(self._files)
        with self._lock:
            self._has_folder = False
            shutil.rmtree(self._folder, ignore_errors=True)


def wait(seconds: float, is_cancelled: Callable[[], bool]) -> None:
    """Sleep; raises Cancelled."""
    end = time.monotonic() + seconds
    while not is_cancelled():
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, POLL_S))
    raise Cancelled()
