"""A folder that is mounted twice, with names and attributes cached for 30 s, as two clients of
a file server see it. Locks of one mount are not seen on the other. Needs root, bindfs, and a
/dev/fuse that can be used."""
import contextlib
import subprocess
import threading

import pytest

import secret_search
from races import PROCESSES, ROUNDS, SEED, WAIT_SECONDS, Races, tags

FEW = max(3, ROUNDS // 10)
CACHED = "entry_timeout=30,negative_timeout=30,attr_timeout=30"


@contextlib.contextmanager
def mounted(folder, at):
    at.mkdir()
    done = subprocess.run(["bindfs", "-o", CACHED, folder, at], stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted: {done.stderr.strip()}")
    secret_search.is_input(at)  # it is searched where it is
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", at], check=True)


@pytest.fixture
def mounts(tmp_path):
    """The races of a folder, and its two mounts."""
    print("seed", SEED)
    folder = tmp_path / "folder"
    folder.mkdir()
    with mounted(folder, tmp_path / "a") as a, mounted(folder, tmp_path / "b") as b:
        races = Races(folder)
        try:
            yield races, (a, b)
        finally:
            races.stop()


def order(races, mount, file, options=(), **env):
    return races.order(file, env, mount / f"store-{file}", options)


def race(races, mounts, file, options=()):
    """Half of the processes are on each mount."""
    return races.open_all([order(races, mounts[number % 2], file, options)
                           for number in range(PROCESSES)])


def look_up(races, mounts, file):
    """Both mounts know that there is no such request."""
    done = races.open_all([order(races, mount, file, ["SUBMIT=NO"]) for mount in mounts])
    assert [tags(one) for one in done] == [["usage"]] * 2, done


def test_one_run_request_and_one_result(mounts):
    races, mounts = mounts
    files = [f"one{number}" for number in range(FEW)]
    for file in files:
        races.store(file).mkdir(mode=0o700)
        look_up(races, mounts, file)
        done = race(races, mounts, file)
        assert races.service.runs[file] == [f"{file}-1"]
        races.check_all_read(file, done, f"{file}-1")
        assert races.outcomes(file) == ["job"]
        calls = len(races.service.calls())
        races.check_all_read(file, race(races, mounts, file), f"{file}-1")
        assert len(races.service.calls()) == calls, "a call for what is published"
    print(len(files), "rounds")


def test_retry_with_one_label_starts_one_job(mounts):
    races, mounts = mounts
    files = [f"label{number}" for number in range(FEW)]
    for file in files:
        races.service.failing.add(f"{file}-1")
        done = race(races, mounts, file)
        assert [tags(one) for one in done] == [["failed"]] * PROCESSES, done
        done = race(races, mounts, file, ["RETRY=again"])
        assert races.service.runs[file] == [f"{file}-1", f"{file}-2"]
        races.check_all_read(file, done, f"{file}-2")
    print(len(files), "rounds")


def test_what_was_seen_in_an_earlier_state_is_read_again(mounts):
    """Each mount has cached the record of a job that was not done."""
    races, (a, b) = mounts
    came = threading.Event()
    released = threading.Event()
    races.held.append(released)

    def hold():
        came.set()
        assert released.wait(2 * WAIT_SECONDS)

    races.service.on_download["f-1"] = hold
    opening = races.start([order(races, a, "f")])
    assert came.wait(WAIT_SECONDS)
    del races.service.on_download["f-1"]
    seen = races.open_all([order(races, b, "f", ["WAIT=NO"])])
    assert [one.returncode for one in seen] == [0], seen
    released.set()
    [first] = opening.result()
    calls = len(races.service.calls("run"))
    others = races.open_all([order(races, mount, "f") for mount in (b, a) * 4])
    races.check_all_read("f", [first, *others], "f-1")
    assert len(races.service.calls("run")) == calls == 1
