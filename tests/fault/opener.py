"""Opens datasets in children of a process that has GDAL's drivers already: a program's
start costs more than an open does.

Each line of the input is a list of {"name", "env", "out", "err"}: a dataset to open, what
the child's environment has besides, and the files that get its output. All of a list begin
at once. The response is a line with the list of the children's exit codes, as subprocess has
them. One may also have

    "options" open options
    "forks"   seconds after which the child forks while it opens; those live on for a while
    "first"   a dataset that the child opens before; then it forks, and both open `name`
"""
import json
import os
import signal
import sys
import threading
import time

from osgeo import gdal

MOST_SECONDS = 120
LIFE_SECONDS = 1  # of what was forked meanwhile


def show(name, options=()):
    """Open a dataset and print all fields, in the words of ogrinfo; the exit code."""
    dataset = gdal.OpenEx(name, gdal.OF_VECTOR | gdal.OF_VERBOSE_ERROR,
                          open_options=list(options))
    if dataset is None:
        return 1
    for at in range(dataset.GetLayerCount()):
        for feature in dataset.GetLayer(at):
            for field in range(feature.GetFieldCount()):
                shape = feature.GetFieldDefnRef(field)
                print(f"  {shape.GetName()} ({shape.GetTypeName()}) ="
                      f" {feature.GetFieldAsString(field)}")
    return 0


def fork_after(pauses):
    """Fork what has all files open, and does nothing."""
    for pause in pauses:
        time.sleep(pause)
        if os.fork() == 0:
            time.sleep(LIFE_SECONDS)
            os._exit(0)


def show_twice(first, name):
    """Open `first`, then the other in two processes; the greater exit code."""
    show(first)
    sys.stdout.flush()
    twin = os.fork()
    code = show(name)
    sys.stdout.flush()
    if twin == 0:
        os._exit(code)
    return max(code, os.waitstatus_to_exitcode(os.waitpid(twin, 0)[1]))


def child(order, gate):
    """Open when the other end of `gate` is closed."""
    os.environ.update(order["env"])
    for fd, path in ((sys.stdout.fileno(), order["out"]), (sys.stderr.fileno(), order["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
    os.read(gate, 1)
    signal.alarm(MOST_SECONDS)
    threading.Thread(target=fork_after, args=[order.get("forks", [])], daemon=True).start()
    code = (show_twice(order["first"], order["name"]) if "first" in order
            else show(order["name"], order.get("options", [])))
    # What is counted of the code's coverage is written at the end, and needs memory.
    os.environ.pop("GIQ_FAULT_ALLOC", None)
    sys.exit(code)


def open_all(orders):
    """The exit code of each child."""
    gate, closed_by_parent = os.pipe()
    pids = []
    for order in orders:
        pid = os.fork()
        if pid == 0:
            os.close(closed_by_parent)
            child(order, gate)
        pids.append(pid)
    os.close(closed_by_parent)
    os.close(gate)
    ended = dict(os.wait() for _ in orders)
    return [os.waitstatus_to_exitcode(ended[pid]) for pid in pids]


gdal.DontUseExceptions()
gdal.AllRegister()
for line in sys.stdin:
    print(json.dumps(open_all(json.loads(line))), flush=True)
