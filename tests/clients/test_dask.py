"""The example with Dask of GIQ.md: each row is paid for once, though a worker dies."""
import os
import re
import signal

import pytest

from areas import write_squares
from conftest import DATA
from datasets import features
from programs import wait_until

PAGE = (DATA.parent / "plugin" / "GIQ.md").read_text()
SANDBOX_OPTIONS = ["--offer-wait"]
WORKERS, THREADS, ROWS = 2, 4, 24
BATCH = "GIQ:batch=fields.gpkg;model=wait;file=olinda_landsat7.tif"
# A cluster until its standard input ends; prints its address and the pids of its workers.
CLUSTER = """
import sys
from dask.distributed import LocalCluster
with LocalCluster(n_workers=%d, threads_per_worker=%d, processes=True, host="127.0.0.1",
                  dashboard_address=None) as cluster:
    print(cluster.scheduler_address, *[each.pid for each in cluster.workers.values()],
          flush=True)
    sys.stdin.read()
""" % (WORKERS, THREADS)


@pytest.fixture
def cluster(client):
    """The address of the scheduler, and the processes of the workers."""
    with open(client.folder / "cluster.log", "wb") as log:
        process = client.start("/usr/bin/python3", "-c", CLUSTER, stdin=-1, stderr=log)
    address, *pids = process.stdout.readline().split()
    yield address, [int(pid) for pid in pids]
    client.finish(process)


def example(address):
    section = PAGE.split("\n## Clusters\n")[1].split("\n## ")[0]
    [code] = re.findall(r"```python\n(.*?)```", section, re.S)
    code, batches = re.subn('"GIQ:batch=.*?"', f'"{BATCH}"', code)
    code, addresses = re.subn("scheduler:8786", address, code)
    assert (batches, addresses) == (1, 1)
    return code


def test_example_pays_once_though_a_worker_is_killed(
        client, cluster, sandbox):
    address, workers = cluster
    write_squares(client.folder / "fields.gpkg", ROWS)
    sandbox.set_faults("status:state=RUNNING")
    program = client.start("/usr/bin/python3", "-c", example(address))
    wait_until(lambda: [record["state"] for record in client.records().values()]
               == ["submitted"] * WORKERS * THREADS, "the first jobs", 120)
    os.kill(workers[0], signal.SIGKILL)
    sandbox.set_faults()
    done = client.finish(program)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{[1] * ROWS}\n"
    assert len(client.paid()) == ROWS
    assert len({run["form"]["geometry"] for run in client.paid()}) == ROWS
    client.run("ogr2ogr", "all.gpkg", BATCH, "-oo", "SUBMIT=NO")
    assert len(features(client, "all.gpkg")) == ROWS
