"""Opens datasets in children of a process that has GDAL's drivers already: a program's
start costs more than an open does.

Each line of the input is {"name", "env", "out", "err"}: a dataset to open, what the child's
environment has besides, and the files that get its output. The response is a line with the
child's exit code, as subprocess has it."""
import json
import os
import signal
import sys

from osgeo import gdal

MOST_SECONDS = 60


def show(name):
    """Open a dataset and print all fields, in the words of ogrinfo; the exit code."""
    dataset = gdal.OpenEx(name, gdal.OF_VECTOR | gdal.OF_VERBOSE_ERROR)
    if dataset is None:
        return 1
    for at in range(dataset.GetLayerCount()):
        for feature in dataset.GetLayer(at):
            for field in range(feature.GetFieldCount()):
                shape = feature.GetFieldDefnRef(field)
                print(f"  {shape.GetName()} ({shape.GetTypeName()}) ="
                      f" {feature.GetFieldAsString(field)}")
    return 0


def child(order):
    os.environ.update(order["env"])
    for fd, path in ((sys.stdout.fileno(), order["out"]), (sys.stderr.fileno(), order["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), fd)
    signal.alarm(MOST_SECONDS)
    code = show(order["name"])
    # What is counted of the code's coverage is written at the end, and needs memory.
    os.environ.pop("GIQ_FAULT_ALLOC", None)
    sys.exit(code)


gdal.DontUseExceptions()
gdal.AllRegister()
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        child(json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
