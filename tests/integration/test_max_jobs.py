"""GIQ_MAX_JOBS: what counts, what it refuses and when, and that many programs at once never
exceed it. The number of run requests is what a user would have paid for."""
import concurrent.futures
import json
import os
import re

import pytest

from programs import SCENE
from scripted import Response, job

NAME = "GIQ:model=m;file=f"
PROCESSES = THREADS = 16
LIMIT = 37

# Opens one request in each thread, all at once as soon as a file exists.
OPENS = """
import os, sys, threading, time
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
name, label, count, flag = sys.argv[1:]
outcomes = []
def work(number):
    while not os.path.exists(flag):
        time.sleep(0.01)
    if gdal.OpenEx(f"{name};rerun={label}-{number};wait=no", gdal.OF_VECTOR):
        outcomes.append("opened")
    else:
        outcomes.append(gdal.GetLastErrorMsg())
threads = [threading.Thread(target=work, args=[number]) for number in range(int(count))]
for thread in threads: thread.start()
print("ready", flush=True)
for thread in threads: thread.join()
print("\\n".join(outcomes))
"""


def slots(gdal):
    """The numbers of the slots that are taken, by day; each folder has nothing else."""
    return {day.name: sorted(int(slot.name) for slot in day.iterdir())
            for day in (gdal.store / "v1/spent").glob("*")}


def taken(gdal):
    """Those of the one day."""
    [numbers] = slots(gdal).values()
    return numbers


def refuses(gdal, name, limit, started=None):
    """The open is refused by the limit; what it says."""
    text = gdal.fails("ogrinfo", name, tag="usage", env={"GIQ_MAX_JOBS": str(limit)})
    assert f"in a day (UTC) to {limit}; started today: {started or limit}; " in text
    assert re.search(r"; the next day begins at \d{4}-\d\d-\d\d 00:00:00 UTC; "
                     r"open again then, or raise GIQ_MAX_JOBS$", text), text
    return text


def test_16_processes_of_16_threads_never_exceed_the_limit(gdal, sandbox):
    flag = gdal.folder / "go"
    started = [gdal.start("/usr/bin/python3", "-c", OPENS,
                          f"GIQ:model=water;file={SCENE}", str(number), str(THREADS), flag,
                          env={"GIQ_MAX_JOBS": str(LIMIT)}) for number in range(PROCESSES)]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    flag.touch()
    with concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
        ended = list(pool.map(gdal.finish, started))
    outcomes = [line for done in ended for line in done.stdout.splitlines()]
    assert len(outcomes) == PROCESSES * THREADS
    assert outcomes.count("opened") == LIMIT
    others = {line for line in outcomes if line != "opened"}
    assert all(line.startswith("GIQ[usage] no job was started: GIQ_MAX_JOBS ")
               for line in others), others
    assert len(sandbox.runs()) == LIMIT
    assert taken(gdal) == list(range(1, LIMIT + 1))
    assert len(gdal.records()) == LIMIT


def test_processes_at_once_share_the_job_of_the_last_slot(gdal, sandbox):
    """The limit refuses nobody who opens the same request."""
    name = f"GIQ:model=water;file={SCENE}"
    started = [gdal.start("ogrinfo", "-so", "-al", name, env={"GIQ_MAX_JOBS": "1"})
               for _ in range(PROCESSES)]
    ended = [gdal.finish(process) for process in started]
    assert [done.returncode for done in ended] == [0] * PROCESSES, ended
    assert len(sandbox.runs()) == 1
    assert taken(gdal) == [1]


def test_at_the_limit_nothing_is_sent_or_recorded(scripted_gdal, service):
    (scripted_gdal.folder / "local.csv").write_text("a\n1\n")
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_MAX_JOBS": "1"})
    names = service.names()
    keys = list(scripted_gdal.store.glob("v1/*"))
    for name in (f"{NAME};rerun=b", f"{NAME};rerun=b;wait=no",
                 "GIQ:model=m;upload=local.csv"):
        refuses(scripted_gdal, name, 1)
    assert service.names() == names
    assert list(scripted_gdal.store.glob("v1/*")) == keys
    assert len(keys) == 2  # a record, and the slots
    # The request is as if it had never been opened.
    scripted_gdal.run("ogrinfo", f"{NAME};rerun=b", env={"GIQ_MAX_JOBS": "2"})
    assert taken(scripted_gdal) == [1, 2]


def test_slot_says_whose_it_is(scripted_gdal):
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_MAX_JOBS": "1"})
    [path] = scripted_gdal.store.glob("v1/spent/*/1")
    [key] = scripted_gdal.records()
    slot = json.loads(path.read_text())
    assert slot.keys() == {"key", "time", "pid", "host"}
    assert slot["key"] == key
    assert slot["time"].startswith(f"{path.parent.name}T") and slot["time"].endswith("Z")
    assert slot["host"] == os.uname().nodename
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_limit_of_zero_starts_no_job(scripted_gdal, service):
    text = scripted_gdal.fails("ogrinfo", NAME, tag="usage", env={"GIQ_MAX_JOBS": "0"})
    assert "GIQ_MAX_JOBS=0 allows none on any day" in text
    assert service.calls() == []
    assert not scripted_gdal.store.exists()


@pytest.mark.parametrize("value", ["-1", "1.5", "1000001", "many", "5 jobs"])
def test_value_that_is_no_limit_is_refused(scripted_gdal, service, value):
    text = scripted_gdal.fails("ogrinfo", NAME, tag="usage", env={"GIQ_MAX_JOBS": value})
    assert text.endswith("GIQ_MAX_JOBS must be a whole number from 0 to 1000000; got "
                         f'"{value}"')
    assert service.calls() == []


@pytest.mark.parametrize("option", ["MAX_JOBS", "GIQ_MAX_JOBS", "max_jobs"])
@pytest.mark.parametrize("limit", [{}, {"GIQ_MAX_JOBS": "0"}])
def test_open_option_neither_lifts_nor_sets_the_limit(scripted_gdal, service, option, limit):
    vrt = scripted_gdal.folder / "a.vrt"
    vrt.write_text(f"""<OGRVRTDataSource><OGRVRTLayer name="a">
        <SrcDataSource>{NAME}</SrcDataSource><SrcLayer>result</SrcLayer>
        <OpenOptions><OOI key="{option}">99</OOI></OpenOptions>
        </OGRVRTLayer></OGRVRTDataSource>""")
    for command in (["-oo", f"{option}=99", NAME], ["-al", vrt]):
        done = scripted_gdal.run("ogrinfo", *command, ok=None, env=limit)
        assert re.findall(r"GIQ\[(\w+)\]", done.stderr)[0] == "usage"
        assert "cannot be an open option" in done.stderr
        assert "set the configuration option GIQ_MAX_JOBS" in done.stderr
    assert service.calls() == []


def test_vrt_is_refused_at_the_limit(scripted_gdal, service):
    """It can name the requests, and options that start jobs."""
    vrt = scripted_gdal.folder / "a.vrt"
    vrt.write_text(f"""<OGRVRTDataSource><OGRVRTLayer name="a">
        <SrcDataSource>{NAME};rerun=b</SrcDataSource>
        <OpenOptions><OOI key="SUBMIT">IF_MISSING</OOI><OOI key="RETRY">x</OOI></OpenOptions>
        </OGRVRTLayer></OGRVRTDataSource>""")
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_MAX_JOBS": "1"})
    done = scripted_gdal.run("ogrinfo", "-al", vrt, ok=None, env={"GIQ_MAX_JOBS": "1"})
    assert "GIQ[usage] no job was started: GIQ_MAX_JOBS limits" in done.stderr
    assert len(service.calls("run")) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_refused_run_gives_its_slot_back(scripted_gdal, service, status):
    service.script["run"] = [Response({"message": "no"}, status), Response(job("SUBMITTED"))]
    env = {"GIQ_MAX_JOBS": "1"}
    scripted_gdal.fails("ogrinfo", NAME, env=env,
                        tag="credentials" if status == 401 else "refused")
    assert taken(scripted_gdal) == []
    scripted_gdal.run("ogrinfo", f"{NAME};rerun=b", env=env)
    assert taken(scripted_gdal) == [1]


def test_throttled_run_takes_one_slot_in_the_end(scripted_gdal, service):
    service.script["run"] = [Response({}, 429), Response({}, 429), Response(job("SUBMITTED"))]
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_MAX_JOBS": "1"})
    assert len(service.calls("run")) == 3
    assert taken(scripted_gdal) == [1]


def test_throttled_run_that_gives_up_takes_no_slot(scripted_gdal, service):
    service.script["run"] = [Response({}, 429)]
    scripted_gdal.fails("ogrinfo", NAME, tag="refused",
                        env={"GIQ_MAX_JOBS": "1", "GIQ_MAX_RETRY": "2"})
    assert len(service.calls("run")) == 3
    assert taken(scripted_gdal) == []


@pytest.mark.parametrize("response", [Response({}, 503), Response(drop=True),
                                      Response({"nothing": 1})])
def test_run_of_unknown_outcome_counts(scripted_gdal, service, response):
    service.script["run"] = [response]
    scripted_gdal.fails("ogrinfo", NAME, tag="unknown", env={"GIQ_MAX_JOBS": "1"})
    refuses(scripted_gdal, f"{NAME};rerun=b", 1)
    assert len(service.calls("run")) == 1
    assert taken(scripted_gdal) == [1]


def test_failed_job_counts_and_its_retry_too(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED"))]
    scripted_gdal.fails("ogrinfo", NAME, tag="failed", env={"GIQ_MAX_JOBS": "1"})
    env = {"GIQ_MAX_JOBS": "1", "GIQ_RETRY": "a"}
    text = scripted_gdal.fails("ogrinfo", NAME, tag="usage", env=env)
    assert "GIQ_MAX_JOBS" in text
    # What is recorded is reported at the limit too, and the label is not used up.
    scripted_gdal.fails("ogrinfo", NAME, tag="failed", env={"GIQ_MAX_JOBS": "1"})
    scripted_gdal.fails("ogrinfo", NAME, tag="failed", env={**env, "GIQ_MAX_JOBS": "2"})
    assert len(service.calls("run")) == 2
    assert taken(scripted_gdal) == [1, 2]


def test_what_starts_no_job_is_open_at_the_limit(scripted_gdal, service):
    env = {"GIQ_MAX_JOBS": "0"}
    scripted_gdal.run("ogrinfo", "GIQ:job=job-1", env=env)
    scripted_gdal.run("ogrinfo", "GIQ:job=job-1", env=env)
    scripted_gdal.run("ogrinfo", f"{NAME};job=job-1", env=env)
    scripted_gdal.run("ogrinfo", NAME, env=env)
    scripted_gdal.run("ogrinfo", "GIQ:models", env=env)
    scripted_gdal.run("ogrinfo", "GIQ:jobs", env=env)
    assert len(service.calls("run")) == 0
    assert not (scripted_gdal.store / "v1/spent").exists()


def test_job_is_resumed_and_found_at_the_limit(scripted_gdal, service):
    env = {"GIQ_MAX_JOBS": "1"}
    scripted_gdal.run("ogrinfo", f"{NAME};wait=no", env=env)
    scripted_gdal.run("ogrinfo", "GIQ:job=job-1", env=env)
    scripted_gdal.run("ogrinfo", NAME, env=env)
    assert len(service.calls("run")) == 1
    assert taken(scripted_gdal) == [1]


def test_slots_are_no_rows_of_the_jobs(scripted_gdal):
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_MAX_JOBS": "2"})
    [row] = scripted_gdal.layer("GIQ:jobs")
    assert [row["properties"]["key"]] == list(scripted_gdal.records())


def test_jobs_without_the_option_do_not_count(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    assert not (scripted_gdal.store / "v1/spent").exists()
    scripted_gdal.run("ogrinfo", f"{NAME};rerun=b", env={"GIQ_MAX_JOBS": "1"})
    refuses(scripted_gdal, f"{NAME};rerun=c", 1)
    assert len(service.calls("run")) == 2


def test_next_day_begins_anew(scripted_gdal, service):
    """Yesterday is today's folder under another name."""
    env = {"GIQ_MAX_JOBS": "1"}
    scripted_gdal.run("ogrinfo", NAME, env=env)
    refuses(scripted_gdal, f"{NAME};rerun=b", 1)
    [today] = (scripted_gdal.store / "v1/spent").iterdir()
    today.rename(today.parent / "2001-01-01")
    scripted_gdal.run("ogrinfo", f"{NAME};rerun=b", env=env)
    assert len(service.calls("run")) == 2
    assert slots(scripted_gdal) == {"2001-01-01": [1], today.name: [1]}


def test_limit_that_was_lowered_counts_what_was_started(scripted_gdal, service):
    for label in "abc":
        scripted_gdal.run("ogrinfo", f"{NAME};rerun={label}", env={"GIQ_MAX_JOBS": "9"})
    refuses(scripted_gdal, NAME, 2, started=3)
    assert len(service.calls("run")) == 3


def test_folders_of_old_days_are_removed(scripted_gdal):
    spent = scripted_gdal.store / "v1/spent"
    for day in range(10, 20):
        folder = spent / f"2001-01-{day}"
        folder.mkdir(parents=True)
        (folder / "1").write_text("")
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_MAX_JOBS": "1"})
    kept = sorted(folder.name for folder in spent.iterdir())
    assert kept[:-1] == [f"2001-01-{day}" for day in range(13, 20)]
    assert len(kept) == 8


def test_slots_that_cannot_be_taken_stop_the_request(scripted_gdal, service):
    (scripted_gdal.store / "v1").mkdir(parents=True)
    (scripted_gdal.store / "v1/spent").write_text("")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="store", env={"GIQ_MAX_JOBS": "1"})
    assert str(scripted_gdal.store / "v1/spent") in text
    assert service.calls("run") == []
    assert scripted_gdal.records() == {}


def test_two_users_of_a_group_share_the_limit(scripted_gdal, service):
    """Needs root, to be two users."""
    scripted_gdal.store.mkdir()
    os.chown(scripted_gdal.store, 2001, 2000)
    scripted_gdal.store.chmod(0o2770)

    def open_as(user, label):
        shell = ["sh", "-c", "umask 007; exec ogrinfo -so -al \"$0\"",
                 f"{NAME};rerun={label}"]
        return scripted_gdal.run(*scripted_gdal.as_user(user, *shell), ok=None,
                                 env={"GIQ_MAX_JOBS": "2"})
    assert open_as(2001, "a").returncode == 0
    assert open_as(2002, "b").returncode == 0
    assert "GIQ[usage]" in open_as(2001, "c").stderr
    assert "GIQ[usage]" in open_as(2002, "c").stderr
    assert len(service.calls("run")) == 2
    assert taken(scripted_gdal) == [1, 2]
