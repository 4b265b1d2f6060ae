"""Two machines open one request at once in a store that they mount by NFS. tests/nfs.sh runs
this; GIQ_TEST_RACES=<n> makes it longer."""
import os
import signal

import pytest

import guests
from conftest import Opener
from races import PROCESSES, ROUNDS, SEED, Races, tags

FEW = max(5, ROUNDS // 5)
SLOW = {"GIQ_TIMEOUT": "100"}  # each instruction of a guest is computed


class Nodes:
    """Two guests whose store is a folder of this machine."""

    def __init__(self, scratch, folder, version):
        self.races = Races(folder)
        self.server = guests.FileServer(scratch, folder)
        env = {name: self.races.gdal.env[name] for name in (
            "GDAL_DRIVER_PATH", "GIQ_API_KEY", "HOME", "GIQ_RETRY_DELAY")}
        env.update(
            GIQ_BASE_URL=f"http://{guests.SERVER}:{self.races.service.port}/public",
            GIQ_ALLOW_HTTP="YES", LD_PRELOAD=os.environ["GIQ_FAULT_LIBRARY"])
        self.openers = [
            Opener(self.races.gdal, name, guests.guest(
                scratch / name, name, self.server, version, Opener.COMMAND, env))
            for name in ("node-a", "node-b")]

    def stop(self):
        for opener in self.openers:
            opener.process.kill()
            opener.stop()
        self.races.stop()
        self.server.stop()

    def open(self, node, file, count=1, options=(), **env):
        return self.openers[node].open_all(
            [self.races.order(file, {**SLOW, **env}, options=options)] * count)

    def race(self, file, options=()):
        """Half of the processes are on each node."""
        halves = [self.races.pool.submit(self.open, node, file, PROCESSES // 2, options)
                  for node in (0, 1)]
        return [one for half in halves for one in half.result()]


@pytest.fixture(scope="module", params=["4.2", "3"])
def nodes(request, tmp_path_factory):
    print("seed", SEED)
    made = Nodes(tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("folder"),
                 request.param)
    yield made
    made.stop()


def test_one_run_request_and_one_result(nodes):
    files = [f"one{number}" for number in range(FEW)]
    for file in files:
        done = nodes.race(file)
        assert nodes.races.service.runs[file] == [f"{file}-1"]
        nodes.races.check_all_read(file, done, f"{file}-1")
        calls = len(nodes.races.service.calls())
        nodes.races.check_all_read(file, nodes.race(file), f"{file}-1")
        assert len(nodes.races.service.calls()) == calls, "a call for what is published"
    print(len(files), "rounds")


def test_retry_with_one_label_starts_one_job(nodes):
    files = [f"label{number}" for number in range(FEW)]
    for file in files:
        nodes.races.service.failing.add(f"{file}-1")
        done = nodes.race(file)
        assert [tags(one) for one in done] == [["failed"]] * PROCESSES, done
        done = nodes.race(file, ["RETRY=again"])
        assert nodes.races.service.runs[file] == [f"{file}-1", f"{file}-2"]
        nodes.races.check_all_read(file, done, f"{file}-2")
    print(len(files), "rounds")


def test_owner_that_was_killed_on_the_other_node(nodes):
    """Its node reports it at once, the other when its ticket has got old."""
    races = nodes.races
    [killed] = nodes.open(0, "killed", GIQ_FAULT_ON="recv *", GIQ_FAULT_ACTION="kill-before",
                          GIQ_FAULT_WON="*/sent.1")
    assert killed.returncode == -signal.SIGKILL
    assert races.service.runs["killed"] == ["killed-1"]
    [here] = nodes.open(0, "killed")
    [there] = nodes.open(1, "killed", GIQ_TIMEOUT="1")
    assert (tags(here), tags(there)) == (["unknown"], ["timeout"])
    races.age("killed")
    [there] = nodes.open(1, "killed")
    assert tags(there) == ["unknown"]
    assert races.service.runs["killed"] == ["killed-1"]
    again = nodes.race("killed", ["RETRY=again"])
    races.check_all_read("killed", again, "killed-2")
    assert races.service.runs["killed"] == ["killed-1", "killed-2"]
