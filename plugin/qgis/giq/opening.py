"""One open in a thread of its own, which can be cancelled and reports its progress.

GDAL's open has no progress function and cannot be interrupted, but the driver looks for
a cancel file and writes a progress file. The thread that is cancelled may stay behind
until the response to a run request is recorded; nobody waits for it.
"""
from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
from typing import Any, Callable, Optional

from osgeo import gdal

from . import guard
from .driver import Opened, open_dataset

POLL_S = 0.1  # between two checks of the thread
CANCEL_S = 0.5  # how long a cancelled open is waited for

# Threads that were left behind; kept so that they are not collected while they run.
_left_behind: set[threading.Thread] = set()


class Cancelled(Exception):
    """The user has cancelled; a thread may still record the response of the service."""


class Opening:
    """An open of `name`, for which the guard of the desktop is lifted. `options` are open
    options. `read` turns the dataset into the result, in the thread of the open. `files`
    are removed when the thread has ended."""

    def __init__(self, name: str, flags: int = gdal.OF_VECTOR, *,
                 options: Optional[list[str]] = None,
                 read: Optional[Callable[[gdal.Dataset], Any]] = None,
                 files: Optional[list[str]] = None):
        self.opened: Optional[Opened] = None
        self.value: Any = None
        self.last: dict[str, Any] = {}  # the progress at the end
        self._name = name
        self._flags = flags
        self._options = options or []
        self._read = read
        self._files = files or []
        self._folder = tempfile.mkdtemp(prefix="giq-")
        self._has_folder = True
        self._lock = threading.Lock()  # over making files in the folder and removing it
        self._cancel_file = os.path.join(self._folder, "cancel")
        # Renaming it to the cancel file also works on a full disk.
        self._ready_file = os.path.join(self._folder, "ready")
        with open(self._ready_file, "w", encoding="ascii"):
            pass
        self._progress_file = os.path.join(self._folder, "progress.json")
        self._failure: Optional[BaseException] = None
        self._thread = threading.Thread(target=self._work, name="giq-open")

    def start(self) -> None:
        _left_behind.add(self._thread)
        self._thread.start()

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def cancel(self) -> None:
        """From now on the thread begins no run request."""
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
        if self._failure is not None:
            raise self._failure
        return self.value

    def _work(self) -> None:
        settings = {**guard.lifted(), "GIQ_CANCEL_FILE": self._cancel_file,
                    "GIQ_PROGRESS_FILE": self._progress_file}
        try:
            for key, value in settings.items():
                gdal.SetThreadLocalConfigOption(key, value)
            self.opened = open_dataset(self._name, self._flags,
                                       ["PROGRESS=NO", *self._options])
            if self.opened.dataset is not None and self._read is not None:
                self.value = self._read(self.opened.dataset)
            self.opened.dataset = None
        except BaseException as error:  # noqa: B902 - raised again in run()
            self._failure = error
        finally:
            self.last = self.progress()
            self._clean_up()
            _left_behind.discard(self._thread)

    def _clean_up(self) -> None:
        for path in self._files:
            try:
                os.remove(path)
            except OSError:
                pass  # it is in a folder that QGIS removes when it ends
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
