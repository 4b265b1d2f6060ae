"""A batch whose disk is filled between two rows."""
import os
import re
import subprocess

import pytest

import secret_search
from programs import Gdal
from scripted import Response, job, service  # noqa: F401


def file_of(run):
    return re.search(rb'name="fileId"\r\n\r\n(.*?)\r\n', run["body"])[1].decode()


class Paid:
    """Jobs that are called job-<file>, and the files of those that were started."""

    def __init__(self, service):
        self.files = []
        service.script.update(run=[self.on_run], status=[self.on_status])

    def on_run(self, seen):
        self.files.append(file_of(seen))
        return Response({**job("SUBMITTED"), "id": f"job-{file_of(seen)}"})

    @staticmethod
    def on_status(seen):
        return Response({**job("COMPLETED"), "id": seen["query"]["inferenceId"]})


def write_rows(path, files):
    path.write_text("id,file\n" + "".join(f"{file},{file}\n" for file in files))
    return f"GIQ:batch={path.name};model=m"


@pytest.fixture
def disk(tmp_path):
    """A store on a file system of its own. Needs root."""
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", path],
                   check=True)
    yield path
    secret_search.in_files(path)
    subprocess.run(["umount", "-l", path], check=True)


def test_full_disk_in_the_middle_pays_nothing_twice(tmp_path, service, disk):  # noqa: F811
    gdal = Gdal(tmp_path, service.url)
    gdal.env.update(GIQ_STORE_DIR=str(disk), GIQ_POLL_INTERVAL="0.05")
    paid = Paid(service)
    on_run = paid.on_run
    filler = disk / "filler"

    def run(seen):
        if file_of(seen) == "c":
            with open(filler, "wb", buffering=0) as out:
                size = 1 << 16
                while size > 0:
                    try:
                        out.write(bytes(size))
                    except OSError:
                        size //= 2
        return on_run(seen)

    service.script["run"] = [run]
    name = write_rows(tmp_path / "rows.csv", ["a", "b", "c", "d", "e"])
    said = gdal.fails("ogrinfo", "-ro", "-oo", "CONCURRENCY=1", name, tag="batch")
    assert "rows of the batch failed" in said and "because of [store]" in said
    assert paid.files == ["a", "b", "c"]
    os.unlink(filler)
    service.script["run"] = [on_run]
    gdal.run("ogrinfo", "-ro", "-oo", "ON_FAILED=SKIP", name)
    assert sorted(paid.files) == ["a", "b", "c", "d", "e"]
