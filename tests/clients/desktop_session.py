"""What scripts that run within the desktop of QGIS share: they wait for events, measure
how long the window stands still, and take pictures of it."""
import faulthandler
import json
import os
import sys
import time
import traceback

import processing
from qgis.core import QgsApplication, QgsProject, QgsSettings
from qgis.PyQt.QtCore import QEventLoop, QTimer
from qgis.PyQt.QtWidgets import QApplication, QLabel, QTextEdit
from qgis.utils import iface

TICK_MS = 10
LONGEST_S = 100

messages = []
QgsApplication.messageLog().messageReceived.connect(
    lambda text, tag, level: messages.append(text))


def begin():
    """When the desktop is ready, write down what work() of script.py returns, and end."""
    def start():
        code = 1
        try:
            with open("script.py", encoding="utf-8") as file:
                names = {}
                exec(compile(file.read(), "script.py", "exec"), names)
            with open("arguments.json", encoding="utf-8") as file:
                found = names["work"](*json.load(file))
            with open("found.json", "w", encoding="utf-8") as file:
                json.dump(found, file)
            QgsSettings().sync()
            code = 0
        except BaseException:
            traceback.print_exc()
            print(*messages, sep="\n", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        # QGIS crashes at an orderly exit while Python holds a layer.
        os._exit(code)
    # QGIS would show an exception of a slot in a dialog, and wait for its user.
    sys.excepthook = lambda *exception: (traceback.print_exception(*exception),
                                         sys.stderr.flush(), os._exit(1))
    faulthandler.dump_traceback_later(LONGEST_S, exit=True)
    iface.initializationCompleted.connect(lambda: QTimer.singleShot(0, start))


def wait(done, what="the event"):
    """Let the desktop work until done() is true; its value."""
    loop = QEventLoop()
    timer = QTimer()
    end = time.monotonic() + LONGEST_S
    found = []

    def look():
        try:
            value = done()
        except Exception as error:
            found.append(error)
            loop.quit()
            return
        if value or time.monotonic() > end:
            found.append(value)
            loop.quit()
    timer.timeout.connect(look)
    timer.start(TICK_MS)
    loop.exec()
    timer.stop()
    if isinstance(found[0], Exception):
        raise found[0]
    assert found[0], f"{what} did not happen"
    return found[0]


class Delays:
    """How much later than planned a timer of 10 ms fires in the thread of the window."""

    def __init__(self):
        self._late = []
        self._last = time.monotonic()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def _tick(self):
        now = time.monotonic()
        self._late.append(1000 * (now - self._last) - TICK_MS)
        self._last = now

    def take(self):
        """Median and worst delay in ms since the last call."""
        late, self._late = sorted(self._late) or [0], []
        return {"median_ms": round(late[len(late) // 2], 1), "worst_ms": round(late[-1], 1)}


def open_dialog(algorithm, parameters):
    """The dialog of an algorithm, as processing.execAlgorithmDialog() opens it, but for
    the loop of its own in which that waits."""
    dialog = processing.createAlgorithmDialog(algorithm, parameters)
    dialog.open()
    return dialog


def cost_of(dialog):
    """The line above Run, when it has been worked out."""
    label = dialog.findChild(QLabel, "giqCost")
    return wait(lambda: not label.text().endswith("…") and label.text(), "the cost")


def press_run(dialog):
    """Press Run, and wait until the task has begun; its ends, filled when it ends."""
    ends = []
    dialog.algorithmFinished.connect(lambda ok, results: ends.append([ok, results]))
    dialog.runButton().click()
    wait(lambda: dialog.cancelButton().isEnabled(), "the task")
    return ends


def grab(widget, path):
    """A picture of a widget, when all that is due has been drawn."""
    QApplication.processEvents()
    widget.grab().save(path)


def bars():
    """The texts of the plugin in the message bar, where QGIS may have complaints too."""
    return [item.text() for item in iface.messageBar().items() if item.title() == "gIQ"]


def layers():
    """Name, source and validity of the project's layers."""
    return sorted([layer.name(), layer.source(), layer.isValid()]
                  for layer in QgsProject.instance().mapLayers().values())
