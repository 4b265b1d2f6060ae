"""Full and read-only disks, quotas, and stores that are in the way of themselves: one
[store] error, the record as it was, nothing half published. Needs root, to mount a small
file system."""
import contextlib
import errno
import json
import shutil
import subprocess
import zipfile

import pytest

from archives import pack_zip
import secret_search
from conftest import errors
from programs import PUBLISHED, entries, set_old
from scripted import Response, job

DISK = 2 * 1024 * 1024
PAGE = 4096
RECORD = {"request.json", "job.json", "lock", "sent.1"}


def rows(size):
    """A CSV of so many bytes."""
    row = b"%07d," + b"x" * 991 + b"\n"
    body = b"id,text\n" + b"".join(row % i for i in range(size // 1000))
    return body[:size - 1] + b"\n"


ROWS = rows(4000000)


def mount(*options):
    subprocess.run(["mount", *map(str, options)], check=True)


@pytest.fixture
def disk(bench):
    """A file system of 2 MiB where the store of the label `disk` is."""
    path = bench.folder / "store-disk"
    path.mkdir()
    mount("-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", path)
    yield path
    secret_search.in_files(path)
    subprocess.run(["umount", "-l", path], check=True)


def give(bench, body, name="rows.csv", **more):
    bench.service.script["download"] = [Response(body, headers={
        "Content-Disposition": f"attachment; filename={name}"}, **more)]


def check_store_error(bench, done, state="succeeded", label="disk"):
    """One error, and in the key's folder the record alone."""
    assert done.returncode == 1 and errors(done) == ["store"], done.stderr
    assert bench.state(label) == state
    for folder in bench.folder.glob(f"store-{label}/v1/*"):
        assert entries(folder) <= RECORD


def check_way_on(bench, words, label="disk", claims=("published.1",)):
    """The job is paid once: a run request that was not sent takes the next ticket."""
    nothing = [path.name for path in bench.folder.glob(f"store-{label}/v1/*/sent.1")
               if json.loads(path.read_text()).get("outcome") == "nothing"]
    done = bench.open(label)
    assert done.returncode == 0 and words in done.stdout, done.stderr
    assert bench.runs(label) == 1
    [folder] = bench.folder.glob(f"store-{label}/v1/*")
    further = {"sent.2"} if nothing else set()
    assert entries(folder) == {*RECORD, *claims, *further, "result.<token>"}


# ---- full ----


@pytest.mark.parametrize("chunked", [True, False])
def test_full_disk_keeps_the_job_and_leaves_no_part(bench, disk, chunked):
    give(bench, ROWS, chunked=chunked)
    check_store_error(bench, bench.open("disk"))
    mount("-o", "remount,size=20m", disk)
    check_way_on(bench, "id (String) = 0003999")


@pytest.mark.parametrize("chunked", [True, False])
def test_store_that_was_moved_to_a_larger_disk_pays_nothing_more(bench, disk, chunked):
    """As the error advises: to point to an empty store would start another job."""
    give(bench, ROWS, chunked=chunked)
    done = bench.open("disk")
    check_store_error(bench, done)
    assert "job job-1: " in done.stderr
    assert "move the whole store and set GIQ_STORE_DIR to its new path" in done.stderr
    assert "another folder" not in done.stderr
    moved = bench.folder / "moved"
    shutil.copytree(disk, moved)
    done = bench.open("disk", GIQ_STORE_DIR=str(moved))
    assert done.returncode == 0 and "id (String) = 0003999" in done.stdout, done.stderr
    assert bench.runs("disk") == 1


def test_room_is_looked_at_before_a_byte_is_written(bench, disk):
    give(bench, ROWS)
    log = bench.folder / "log"
    done = bench.open("disk", {"GIQ_FAULT_LOG": str(log)})
    check_store_error(bench, done)
    assert f"the result has {len(ROWS)} bytes" in done.stderr
    sizes = [int(line.split()[1]) for line in log.read_text().splitlines()
             if line.startswith("write ")]
    assert sizes and max(sizes) < PAGE, "records alone"


@pytest.mark.parametrize("response", [0, errno.ENOSYS, errno.EOVERFLOW])
def test_room_that_cannot_be_learned_is_not_a_full_disk(bench, response):
    """FUSE file systems answer with zeros, or not at all."""
    give(bench, ROWS)
    done = bench.open("disk", {"GIQ_FAULT_SPACE": str(response)})
    assert done.returncode == 0 and "id (String) = 0003999" in done.stdout, done.stderr
    assert bench.runs("disk") == 1


def test_disk_that_is_full_after_unpacking_has_begun(bench, disk):
    packed = pack_zip({"a/first.txt": b"no dataset", "a/rows.csv": ROWS},
                      zipfile.ZIP_DEFLATED)
    assert len(packed) < DISK // 4
    give(bench, packed, "rows.zip")
    check_store_error(bench, bench.open("disk"))
    mount("-o", "remount,size=20m", disk)
    done = bench.open("disk", name="GIQ:model=m;file=fdisk;member=a/rows.csv")
    assert done.returncode == 0, done.stderr
    check_way_on(bench, "")


def test_disk_that_the_result_fills_to_the_last_page(bench, disk):
    """No room is left for the claim that names it."""
    give(bench, rows(DISK - 2 * PAGE), chunked=True)
    check_store_error(bench, bench.open("disk"))
    assert list(disk.glob(f"v1/*/{PUBLISHED}/*")) == []
    mount("-o", "remount,size=20m", disk)
    check_way_on(bench, "id (String) = 0002000")


def test_part_that_was_cut_takes_no_room(bench, disk):
    mount("-o", f"remount,size={2 * DISK - PAGE}", disk)
    body = rows(DISK * 5 // 4)
    give(bench, body, cut=len(body) - 10)
    done = bench.open("disk", GIQ_MAX_RETRY="0")
    assert errors(done) == ["incomplete"] and bench.state("disk") == "succeeded"
    assert list(disk.glob("v1/*/result*")) == []
    give(bench, body)
    check_way_on(bench, "id (String) = 0002000")


@pytest.mark.parametrize("action,left", [("kill-before", "result.new.*"),
                                         ("kill-after", PUBLISHED)])
def test_result_that_was_never_published_takes_room_for_ten_minutes(bench, disk, action,
                                                                    left):
    mount("-o", f"remount,size={2 * DISK - PAGE}", disk)
    give(bench, rows(DISK * 5 // 4))
    bench.open("disk", {"GIQ_FAULT_ON": f"rename */{PUBLISHED}",
                        "GIQ_FAULT_ACTION": action})
    assert bench.state("disk") == "succeeded" and list(disk.glob(f"v1/*/{left}/*"))
    assert errors(bench.open("disk")) == ["store"]
    set_old(disk)
    check_way_on(bench, "id (String) = 0002000")


def test_disk_without_room_for_a_record_costs_nothing(bench, disk):
    (disk / "filler").write_bytes(b"x" * DISK)
    check_store_error(bench, bench.open("disk"), None)
    assert bench.runs("disk") == 0
    (disk / "filler").unlink()
    check_way_on(bench, "name (String) = one")


def test_quota_that_ends_at_any_byte(bench):
    calls = bench.enumerate("dry")
    total = sum(int(call.split()[1]) for call in calls if call.startswith("write "))

    def fill(room):
        label = f"room-{room}"
        done = bench.open(label, {"GIQ_FAULT_ROOM": str(room)})
        state = bench.state(label)
        if done.returncode == 0:
            # The claim is complete, and names the result as well as the record does.
            assert state == "succeeded" and "name (String) = one" in done.stdout
            check_way_on(bench, "name (String) = one", label)
            return "claimed"
        check_store_error(bench, done, state, label)
        assert "quota" in done.stderr and "move the whole store" in done.stderr
        # On a full disk the outcome is written over the ticket, which has room for it.
        if state == "sending":
            [ticket] = bench.folder.glob(f"store-{label}/v1/*/sent.1")
            assert json.loads(ticket.read_text())["job_id"] == "job-1"
        assert state is None or "job job-1: " in done.stderr
        check_way_on(bench, "name (String) = one", label)
        return state
    assert set(bench.each(fill, range(0, total, 60))) == {
        None, "sending", "submitted", "succeeded", "claimed"}


# ---- read-only ----


def read_only(bench, disk):
    mount("-o", "remount,ro", disk)
    return bench.open("disk")


def test_published_result_opens_from_a_read_only_store(bench, disk):
    assert bench.open("disk").returncode == 0
    assert read_only(bench, disk).returncode == 0
    done = bench.open("disk", name="GIQ:model=m;file=other")
    assert errors(done) == ["store"], done.stderr
    assert len(bench.service.calls("run")) == 1


def test_spoiled_result_in_a_read_only_store_is_told(bench, disk):
    assert bench.open("disk").returncode == 0
    [path] = disk.glob(f"v1/*/{PUBLISHED}/*")
    path.write_bytes(path.read_bytes()[:-1])
    done = read_only(bench, disk)
    assert errors(done) == ["store"], done.stderr
    size = path.stat().st_size
    assert (f"the published file at {path} has {size} bytes, not {size + 1} as recorded"
            in done.stderr)
    assert "or open again to download it: " in done.stderr
    assert "Read-only file system" in done.stderr
    mount("-o", "remount,rw", disk)
    check_way_on(bench, "name (String) = one", claims=("published.1", "published.2"))


def submit(bench):
    """A job that still runs while it is left."""
    bench.service.script["status"] = [Response(job("RUNNING"))]
    assert errors(bench.open("disk", GIQ_TIMEOUT="0")) == ["timeout"]
    bench.service.script["status"] = [Response(job("DONE"))]


def test_job_waits_for_a_store_that_is_read_only(bench, disk):
    submit(bench)
    check_store_error(bench, read_only(bench, disk), "submitted")
    mount("-o", "remount,rw", disk)
    check_way_on(bench, "name (String) = one")


def test_store_of_another_user(bench):
    """Of a folder that was made to be shared; what the driver makes is private."""
    (bench.folder / "store-disk").mkdir(mode=0o755)
    submit(bench)
    check_store_error(bench, bench.open_as(2001, "disk"), "submitted")
    check_way_on(bench, "name (String) = one")
    assert bench.open_as(2001, "disk").returncode == 0


# ---- found before anything is sent ----


def make_read_only(bench, store):
    mount("-o", "remount,ro", store)


def make_full(bench, store):
    with (store / "filler").open("wb", buffering=0) as filler, \
            contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * PAGE)


def make_crowded(bench, store):
    """With room for a record, but for no result."""
    (store / "filler").write_bytes(b"x" * (DISK // 2 + PAGE))


def make_file_of_uploads(bench, store):
    (store / "uploads").write_text("mine")


OBSTACLES = [(make_read_only, "Read-only file system"),
             (make_full, "No space left on device; free some space, or move the whole store"),
             (make_crowded, "and at least 1048576 are needed; free some space, or move the whole store")]


@pytest.mark.parametrize("obstruct,words", OBSTACLES)
@pytest.mark.parametrize("name", ["GIQ:model=m;file=fdisk", "GIQ:job=job-1",
                                  "GIQ:model=m;file=fdisk;job=job-1",
                                  "GIQ:model=m;file=fdisk;wait=no"])
@pytest.mark.parametrize("is_used", [True, False])
def test_store_that_cannot_be_used_is_found_before_anything_is_sent(
        bench, disk, obstruct, words, name, is_used):
    if is_used:
        assert bench.open("disk", name="GIQ:model=m;file=other").returncode == 0
        name = name.replace("job-1", "job-2")
    before = len(bench.service.calls())
    obstruct(bench, disk)
    done = bench.open("disk", name=name)
    assert errors(done) == ["store"], done.stderr
    assert f"nothing was sent, because the store {disk} cannot be used: " in done.stderr
    assert words in done.stderr, done.stderr
    assert len(bench.service.calls()) == before
    assert list(disk.rglob("probe*")) == []


def test_uploads_that_cannot_be_recorded_are_found_before_anything_is_sent(bench, disk):
    bench.uploads = True
    make_file_of_uploads(bench, disk)
    done = bench.open("disk")
    assert errors(done) == ["store"], done.stderr
    assert f"cannot be used: cannot make the folder {disk}/uploads" in done.stderr, done.stderr
    assert bench.service.calls() == []


# ---- in the way ----


@pytest.mark.parametrize("path,below", [("", ""), ("", "/below"), ("v1", "")])
def test_store_that_is_a_file(bench, path, below):
    store = bench.folder / "store-disk" / path
    store.parent.mkdir(exist_ok=True)
    store.write_text("mine")
    for _ in range(2):
        done = bench.open("disk", GIQ_STORE_DIR=str(bench.folder / "store-disk") + below)
        assert errors(done) == ["store"] and str(store) in done.stderr
    assert bench.service.calls("run") == [] and store.read_text() == "mine"


@pytest.mark.parametrize("name", ["job.json", "lock", "published.1"])
def test_folder_that_is_in_the_way(bench, name):
    submit(bench)
    [folder] = bench.folder.glob("store-disk/v1/*")
    if (folder / name).exists():
        (folder / name).rename(bench.folder / "aside")
    (folder / name / "mine").mkdir(parents=True)
    done = bench.open("disk")
    assert errors(done) == ["store"] and name in done.stderr, done.stderr
    if (folder / name).exists():
        (folder / name / "mine").rmdir()
        (folder / name).rmdir()
    if (bench.folder / "aside").exists():
        (bench.folder / "aside").rename(folder / name)
    check_way_on(bench, "name (String) = one")


@pytest.mark.parametrize("name", ["result", "result.old"])
def test_file_that_is_in_the_way_is_replaced(bench, name):
    submit(bench)
    [folder] = bench.folder.glob("store-disk/v1/*")
    (folder / name).write_text("left by whom")
    check_way_on(bench, "name (String) = one")
