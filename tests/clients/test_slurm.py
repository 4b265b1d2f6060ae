"""A batch as an array job of Slurm, on two nodes that share a store: each row is paid for
once, whatever ends a task, and one command reads all of them."""
import re

import pytest

from areas import write_squares
from conftest import DATA
from datasets import features
from programs import SCENE, wait_until
from secret_search import KEY, is_input
from slurm import Slurm

SCRIPT = DATA / "slurm.sh"
README = (DATA.parent / "README.md").read_text()
SANDBOX_OPTIONS = ["--offer-wait"]
TASKS, ROWS, AT_ONCE = 8, 80, 4
COMPLETED = dict.fromkeys(range(TASKS), "COMPLETED")


@pytest.fixture
def cluster(started):
    return started(Slurm())


@pytest.fixture
def user(client, cluster):
    """A user of the cluster, whose key is in a file: Slurm saves the environment."""
    key = is_input(client.folder / "key")
    key.write_text(KEY)
    key.chmod(0o600)
    del client.env["GIQ_API_KEY"]
    client.env.update(cluster.env, GIQ_API_KEY_FILE=str(key), GIQ_CONCURRENCY=str(AT_ONCE))
    (client.folder / "data").mkdir()
    (client.folder / "data" / SCRIPT.name).symlink_to(SCRIPT)
    write_squares(client.folder / "fields.gpkg", ROWS)
    return client


def commands_of(text):
    """What to type, for the rows and the model of the test."""
    return [re.sub("batch=[^;]*;model=[^;]*;file=[^\"]*",
                   f"batch=fields.gpkg;model=wait;file={SCENE}", line.strip("# "))
            for line in text.splitlines()
            if re.match("(#   )?(export|sbatch|ogr2ogr) ", line)]


PART = f"GIQ:batch=fields.gpkg;model=wait;file={SCENE};part=0/{TASKS}"
_, SUBMIT, READ = commands_of(README.split("\n## Clusters\n")[1].split("\n## ")[0])


def submit(user, *options):
    command = " ".join(["sbatch --parsable", *options])
    return user.run("sh", "-c", SUBMIT.replace("sbatch", command)).stdout.strip()


def wait_for_states(cluster, job, states):
    wait_until(lambda: cluster.states(job) == states, f"tasks with the states {states}",
               180)


def submitted(user):
    return [key for key, record in user.records().items() if record["state"] == "submitted"]


def test_head_of_the_script_has_the_commands_of_the_readme():
    export, command, read = commands_of(SCRIPT.read_text())
    assert export.startswith("export GIQ_STORE_DIR=")
    assert [command, read] == [SUBMIT.replace("data/slurm.sh", "slurm.sh"), READ]


def test_each_row_is_paid_once_though_tasks_are_cancelled_and_requeued(
        user, cluster, sandbox):
    sandbox.set_faults("status:state=RUNNING")
    job = submit(user)
    wait_until(lambda: len(submitted(user)) == TASKS * AT_ONCE, "the first jobs", 180)
    user.run("scancel", f"{job}_3")
    user.run("scontrol", "requeue", f"{job}_5")
    wait_until(lambda: cluster.states(job)[3] == "CANCELLED", "the end of a task")
    sandbox.set_faults()
    wait_for_states(cluster, job, {**COMPLETED, 3: "CANCELLED"})
    assert len(user.paid()) == ROWS - ROWS // TASKS + AT_ONCE
    assert len(submitted(user)) == AT_ONCE

    wait_for_states(cluster, submit(user), COMPLETED)
    assert len(user.paid()) == ROWS
    assert len({run["form"]["geometry"] for run in user.paid()}) == ROWS
    calls = user.calls()
    wait_for_states(cluster, submit(user, "--array=3,5"),
                    {3: "COMPLETED", 5: "COMPLETED"})
    user.run("sh", "-c", READ)
    assert user.calls() == calls
    read = features(user, "all.gpkg")
    assert len(read) == ROWS
    assert {feature["properties"]["row"] for feature in read} == {
        str(number) for number in range(1, ROWS + 1)}


def test_row_that_was_being_submitted_when_its_task_was_killed_is_unknown(
        user, cluster, sandbox):
    sandbox.set_faults("run:hang@1")
    options = ("--array=0", "--nodelist=n1")
    job = submit(user, *options)
    wait_until(lambda: sorted(record["state"] for record in user.records().values())
               == ["published"] * (ROWS // TASKS - 1) + ["sending"], "the other rows")
    user.run("scancel", job)
    wait_for_states(cluster, job, {0: "CANCELLED"})
    sandbox.set_faults()
    again = submit(user, *options)
    wait_for_states(cluster, again, {0: "FAILED"})
    # Slurm and the program of GDAL may add lines of their own.
    log = (user.folder / f"giq-{again}_0.log").read_text()
    [error] = [line for line in log.splitlines() if line.startswith("ERROR")]
    assert error.startswith("ERROR 1: GIQ[batch] 1 of 10 rows of the batch failed")
    assert len(user.paid()) == ROWS // TASKS

    [row] = re.findall(r"row (\d+): \[unknown\]", error)
    [name] = [feature["properties"]["location"] for feature in
              user.layer(f"{PART};wait=no", "-oo", "SUBMIT=NO")
              if feature["properties"]["row"] == row]
    more = user.run("sbatch", "--parsable", "--nodelist=n1", "--array=0", "--wrap",
                    f"ogrinfo '{name}' -oo RETRY=monday").stdout.strip()
    wait_for_states(cluster, more, {0: "COMPLETED"})
    assert len(user.paid()) == ROWS // TASKS + 1
    assert len(user.layer(PART, "-oo", "SUBMIT=NO")) == ROWS // TASKS


def test_task_that_fails_says_why_in_its_log(user, cluster):
    del user.env["GIQ_STORE_DIR"]
    wait_for_states(cluster, submit(user, "--array=2"), {2: "FAILED"})
    [log] = user.folder.glob("giq-*_2.log")
    assert log.read_text().endswith(
        "GIQ_STORE_DIR: set it to a folder that all nodes share\n")
    assert user.calls() == []
