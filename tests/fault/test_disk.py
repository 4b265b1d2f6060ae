"""Full and read-only disks. Needs root, to mount a small file system."""
import subprocess

import pytest

import spills
from conftest import errors
from scripted import Answer

ROWS = b"id,text\n" + b"".join(b"%d,%s\n" % (i, b"x" * 1000) for i in range(4000))


def mount(*options):
    subprocess.run(["mount", *map(str, options)], check=True)


@pytest.fixture
def disk(bench):
    """A file system of 2 MiB where the store of the label `disk` is."""
    path = bench.folder / "store-disk"
    path.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", path)
    yield path
    spills.in_files(path)
    subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.parametrize("chunked", [True, False])
def test_full_disk_keeps_the_job_and_leaves_no_part(bench, disk, chunked):
    bench.service.script["download"] = [Answer(ROWS, chunked=chunked, headers={
        "Content-Disposition": "attachment; filename=rows.csv"})]
    done = bench.open("disk")
    assert errors(done) == ["store"], done.stderr
    assert not list(disk.rglob("result.part")) and bench.state("disk") == "succeeded"
    mount("-o", "remount,size=20m", disk)
    done = bench.open("disk")
    assert done.returncode == 0 and "id (String) = 3999" in done.stdout
    assert bench.runs("disk") == 1


def test_disk_without_room_for_a_record_costs_nothing(bench, disk):
    (disk / "filler").write_bytes(b"x" * 2 * 1024 * 1024)
    done = bench.open("disk")
    assert errors(done) == ["store"] and bench.runs("disk") == 0
    (disk / "filler").unlink()
    assert bench.open("disk").returncode == 0


def test_published_result_opens_from_a_read_only_store(bench, disk):
    assert bench.open("disk").returncode == 0
    mount("-o", "remount,ro", disk)
    assert bench.open("disk").returncode == 0
    done = bench.open("disk", name="GIQ:model=m;file=other")
    assert errors(done) == ["store"], done.stderr
    assert len(bench.service.calls("run")) == 1
