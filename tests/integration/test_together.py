"""Many opens of one request at once: processes, threads, forks, labels, users. The journal
states how often a user would have paid."""
import concurrent.futures
import os
import random
import signal
import threading
import time

import pytest

from programs import Gdal, SCENE, Sandbox
from scripted import Response, job

NAME = f"GIQ:model=water;file={SCENE}"
MANY = 16
MIXES = 200


def at_once(count, gdal, *command, env=None):
    """Run programs at the same time; how each of them ended."""
    started = [gdal.start(*command, env=env) for _ in range(count)]
    return [gdal.finish(process) for process in started]


def test_processes_at_once_make_one_job(gdal, sandbox):
    ended = at_once(MANY, gdal, "ogrinfo", "-so", "-al", NAME)
    assert [done.returncode for done in ended] == [0] * MANY, ended
    assert len({done.stdout for done in ended}) == 1
    assert len(sandbox.runs()) == 1
    assert sandbox.calls().count("download") == 1


def test_processes_that_adopt_one_job_at_once_share_it(gdal, sandbox):
    gdal.run("ogrinfo", f"{NAME};wait=no", env={"GIQ_STORE_DIR": str(gdal.folder / "other")})
    [run] = sandbox.runs()
    ended = at_once(MANY, gdal, "ogrinfo", "-so", "-al", f"{NAME};job={run['job']}")
    assert [done.returncode for done in ended] == [0] * MANY, ended
    assert len(sandbox.runs()) == 1
    assert sandbox.calls().count("download") == 1


THREADS = """
import sys, threading
from osgeo import gdal
gdal.UseExceptions()
counts, faults = [], []
def work():
    try:
        data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
        counts.append(data.GetLayer(0).GetFeatureCount())
    except Exception as error:
        faults.append(str(error))
threads = [threading.Thread(target=work) for _ in range(int(sys.argv[2]))]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not faults, faults
assert len(set(counts)) == 1 and len(counts) == len(threads), counts
"""


def test_threads_at_once_make_one_job(gdal, sandbox):
    gdal.python(THREADS, NAME, str(MANY))
    assert len(sandbox.runs()) == 1
    assert sandbox.calls().count("download") == 1


FORKS = """
import multiprocessing, sys
from osgeo import gdal
def work(name):
    gdal.UseExceptions()
    data = gdal.OpenEx(name, gdal.OF_VECTOR)
    return data.GetLayer(0).GetFeatureCount()
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[2])
    if sys.argv[3] == "open":
        work("GIQ:models")
    with context.Pool(6) as pool:
        assert len(set(pool.map(work, [sys.argv[1]] * 12, chunksize=1))) == 1
"""


@pytest.mark.parametrize("before", ["fresh", "open"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_makes_one_job(gdal, sandbox, method, before):
    script = gdal.folder / "script.py"
    script.write_text(FORKS)
    gdal.run("/usr/bin/python3", script, NAME, method, before)
    assert len(sandbox.runs()) == 1


FORK_WHILE_SENDING = """
import os, sys, threading, time
from osgeo import gdal
def work():
    gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
thread = threading.Thread(target=work)
thread.start()
while not os.path.exists(sys.argv[2]):
    time.sleep(0.001)
child = os.fork()
if child == 0:
    time.sleep(float(sys.argv[3]))
    os._exit(0)
print(child, flush=True)
time.sleep(60)
"""


def test_child_of_a_dead_holder_keeps_no_lock(scripted_gdal, service):
    """The child lives while the next open reads the state of its parent's job. While the
    parent lives, the error of an open that waits for the lock names the holder."""
    asked = threading.Event()
    held = threading.Event()
    flag = scripted_gdal.folder / "asked"

    def hold(_):
        flag.touch()
        asked.set()
        held.wait(60)
        return Response(job("SUBMITTED"))
    service.script["run"] = [hold]
    parent = scripted_gdal.start("/usr/bin/python3", "-c", FORK_WHILE_SENDING,
                                 "GIQ:model=m;file=f", flag, "60")
    assert asked.wait(30)
    child = int(parent.stdout.readline())
    text = scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0.1", "GIQ:model=m;file=f",
                               tag="timeout")
    assert f"the process {parent.pid} on the host {os.uname().nodename} holds the lock" in text
    parent.kill()
    parent.wait()
    scripted_gdal.fails("ogrinfo", "GIQ:model=m;file=f", tag="unknown")
    os.kill(child, signal.SIGKILL)
    scripted_gdal.finish(parent)
    held.set()
    assert len(service.calls("run")) == 1


def test_eight_processes_and_ten_opens_use_a_label_once(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED"))]
    scripted_gdal.fails("ogrinfo", "GIQ:model=m;file=f", tag="failed")
    env = {"GIQ_RETRY": "monday"}
    ended = at_once(8, scripted_gdal, "ogrinfo", "GIQ:model=m;file=f", env=env)
    assert all("GIQ[failed]" in done.stderr for done in ended), ended
    for _ in range(10):
        scripted_gdal.fails("ogrinfo", "GIQ:model=m;file=f", tag="failed", env=env)
    assert len(service.calls("run")) == 2


def some_area(number):
    """An area of its own for each number, so that the journal tells them apart."""
    east = f"{-34.84 - number / 10000:.4f}".rstrip("0")
    return f"POLYGON((-34.88 -8.02,-34.88 -8,{east} -8,{east} -8.02,-34.88 -8.02))"


def random_mix(gdal, sandbox, chance, number):
    """Opens at once, some of them killed after a while, and one that is not."""
    name = f"GIQ:model=water;file={SCENE};geometry={some_area(number)}"
    opens = []
    for _ in range(chance.randint(1, 3)):
        opens.append(gdal.start("ogrinfo", "-so", name))
        if chance.random() < 0.5:
            time.sleep(chance.random() * 0.15)
            opens[-1].kill()
    for process in opens:
        gdal.finish(process)
    done = gdal.run("ogrinfo", "-so", name, ok=None)
    paid = sum(run["form"]["geometry"] == some_area(number) for run in sandbox.runs())
    return paid, done.returncode, done.stderr


def test_random_mixes_of_kills_and_opens_pay_once(tmp_path):
    """The seed is printed; GIQ_TEST_SEED repeats a run."""
    seed = int(os.environ.get("GIQ_TEST_SEED") or random.randrange(1 << 30))
    print("seed", seed)
    sandbox = Sandbox(tmp_path / "sandbox", "--job-seconds", "0")
    gdal = Gdal(tmp_path, sandbox.url)
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            mixes = list(pool.map(
                lambda n: random_mix(gdal, sandbox, random.Random(seed + n), n),
                range(MIXES)))
    finally:
        sandbox.stop()
    unknown = [mix for mix in mixes if "GIQ[unknown]" in mix[2]]
    assert all(paid <= 1 for paid, _, _ in mixes), (seed, mixes)
    assert all(paid == 1 and code == 0 for paid, code, err in mixes
               if "GIQ[unknown]" not in err), (seed, mixes)
    print(len(unknown), "of", MIXES, "are unknown")


def test_two_users_share_the_store_of_a_group(scripted_gdal, service):
    """Each user resumes the job of the other. Needs root, to be two users."""
    scripted_gdal.store.mkdir()
    os.chown(scripted_gdal.store, 2001, 2000)
    scripted_gdal.store.chmod(0o2770)
    shell = ["sh", "-c", "umask 007; exec ogrinfo -so -al \"$0\"", "GIQ:model=m;file=f"]
    service.script["status"] = [Response(job("RUNNING"))]
    def open_as(user, **more):
        return scripted_gdal.run(*scripted_gdal.as_user(user, *shell), **more)
    done = open_as(2001, ok=None, env={"GIQ_TIMEOUT": "0"})
    assert "GIQ[timeout]" in done.stderr, done.stderr
    service.script["status"] = [Response(job("DONE"))]
    open_as(2002)
    open_as(2001)
    assert service.names() == ["models", "run", "status", "status", "download"]


def test_store_that_anybody_may_write_is_refused(scripted_gdal, service):
    scripted_gdal.store.mkdir()
    scripted_gdal.store.chmod(0o777)
    text = scripted_gdal.fails("ogrinfo", "GIQ:model=m;file=f", tag="store")
    assert str(scripted_gdal.store) in text
    assert service.calls() == []


def test_two_stores_know_nothing_of_each_other(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", "GIQ:model=m;file=f")
    scripted_gdal.run("ogrinfo", "GIQ:model=m;file=f",
                      env={"GIQ_STORE_DIR": str(scripted_gdal.folder / "other")})
    assert len(service.calls("run")) == 2


def test_clock_that_jumps_back_does_no_harm(scripted_gdal, service):
    """The record says that the job was submitted next year."""
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", "GIQ:model=m;file=f",
                        tag="timeout")
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    text = path.read_text()
    year = text.split('"submitted_at":"')[1][:4]
    path.write_text(text.replace(f'"submitted_at":"{year}',
                                 f'"submitted_at":"{int(year) + 1}'))
    service.script["status"] = [Response({"message": "not yet"}, 404), Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", "GIQ:model=m;file=f")
    assert len(service.calls("run")) == 1
