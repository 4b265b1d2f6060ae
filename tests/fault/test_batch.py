"""A batch whose disk is filled between two rows."""
import os
import subprocess

import pytest

import secret_search
from batches import NAME, Jobs, file_of, write_rows
from programs import Gdal
from scripted import service  # noqa: F401


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
    jobs = Jobs(service)
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
        return jobs.on_run(seen)

    service.script["run"] = [run]
    write_rows(gdal, "a", "b", "c", "d", "e")
    said = gdal.fails("ogrinfo", "-ro", "-oo", "CONCURRENCY=1", NAME, tag="batch")
    assert "rows of the batch failed" in said and "because of [store]" in said
    assert jobs.paid() == ["a", "b", "c"]
    os.unlink(filler)
    service.script["run"] = [jobs.on_run]
    gdal.run("ogrinfo", "-ro", "-oo", "ON_FAILED=SKIP", NAME)
    assert jobs.paid() == ["a", "b", "c", "d", "e"]
