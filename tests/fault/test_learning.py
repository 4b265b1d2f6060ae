"""Every system call of an open that learns how long its job took: killed before it, killed
after it, failing. The hint is never half written, and never fails an open."""
import collections
import datetime
import errno
import json
import re

import pytest

from conftest import errors
from scripted import Response, job


@pytest.fixture
def learning(bench):
    """The bench, whose jobs are running at the first two status calls."""
    polls = collections.Counter()

    def submit(seen):
        label = re.search(rb"\r\n\r\n(f[^\r]*)\r\n--", seen["body"])[1].decode()
        return Response(job("SUBMITTED", id=f"job-{label}"))

    def report(seen):
        name = seen["query"]["inferenceId"]
        polls[name] += 1
        return Response(job("RUNNING" if polls[name] <= 2 else "DONE", id=name))

    bench.service.script.update(run=[submit], status=[report])
    return bench


def submit(bench, label):
    """Submit a job, and record that it was a minute ago."""
    assert errors(bench.open(label, GIQ_TIMEOUT="0")) == ["timeout"]
    [path] = bench.folder.glob(f"store-{label}/v1/*/job.json")
    record = json.loads(path.read_text())
    time = datetime.datetime.fromisoformat(record["submitted_at"].replace("Z", "+00:00"))
    time -= datetime.timedelta(seconds=60)
    record["submitted_at"] = time.isoformat(timespec="milliseconds")
    path.write_text(json.dumps(record))


def resume(bench, label, **fault):
    return bench.open(label, fault, GIQ_POLL_INTERVAL="0.05")


def jobs_learned(bench, label):
    """The jobs of the summary, which is whole; None if there is none."""
    found = None
    for path in bench.folder.glob(f"store-{label}/waiting/v1/*.json"):
        found = json.loads(path.read_text())["jobs"]
    return found


def calls_of(bench):
    submit(bench, "dry")
    log = bench.log("dry")
    assert resume(bench, "dry", GIQ_FAULT_LOG=str(log)).returncode == 0
    assert len(jobs_learned(bench, "dry")) == 1
    calls = log.read_text().splitlines()
    print(len(calls), "calls,", sum("/waiting" in call for call in calls), "of the summary")
    assert sum("/waiting" in call for call in calls) >= 6
    return calls


@pytest.mark.parametrize("action", ["kill-before", "kill-after"])
def test_killed_at_every_call(learning, action):
    calls = calls_of(learning)

    def kill(at):
        label = f"{action}-{at}"
        submit(learning, label)
        done = resume(learning, label, GIQ_FAULT_AT=str(at), GIQ_FAULT_ACTION=action,
                      GIQ_FAULT_LOG=str(learning.log(label)))
        learning.check_killed(label, at, done)
        jobs_learned(learning, label)
        done = resume(learning, label)
        assert done.returncode == 0 and errors(done) == [], (at, calls[at - 1], done)
        assert learning.runs(label) == 1
        jobs_learned(learning, label)
    learning.each(kill, range(1, len(calls) + 1))


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("call,learned", [
    ("stat */waiting/v1/*.json", 1), ("open */waiting/v1/*.json", 1), ("stat */waiting", 0),
    ("open */waiting/v1/*.json.*", 0), ("rename */waiting/v1/*", 0)])
def test_failing_summary_fails_no_open(learning, call, learned, number):
    submit(learning, "a")
    done = resume(learning, "a", GIQ_FAULT_ON=call, GIQ_FAULT_ACTION=str(number))
    assert done.returncode == 0 and errors(done) == [], done
    assert learning.state("a") == "published"
    # What the first reading misses is read again at the job's end.
    assert len(jobs_learned(learning, "a")) == learned
    # No other file is left.
    assert len(list(learning.folder.glob("store-a/waiting/v1/*"))) == 1


@pytest.mark.parametrize("call", ["mkdir */waiting", "mkdir */waiting/v1"])
def test_folder_that_cannot_be_made_fails_no_open(learning, call):
    done = learning.open("a", {"GIQ_FAULT_ON": call, "GIQ_FAULT_ACTION": str(errno.EACCES)},
                         GIQ_TIMEOUT="0")
    assert errors(done) == ["timeout"] and jobs_learned(learning, "a") is None
