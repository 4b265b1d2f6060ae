"""The process that sends a run request is killed or stopped, at any call of the system from
its ticket on, while others wait for the same request: never a second run request, and the
others end with the result, or with what is known, as soon as it is."""
import contextlib
import os
import random
import signal
import threading

import pytest

from races import (DEAD, ROUNDS, SEED, WAIT_SECONDS, WORLDS, Races, host, names_read, tags,
                   wait_for)

PROCESSES = 6
KILLS = 12  # of all calls, unless GIQ_TEST_RACES is set
WON = {"GIQ_FAULT_WON": "*/sent.1"}
TIMEOUT = {"GIQ_TIMEOUT": "10"}  # a process that reports [timeout] has waited in vain
HERE, THERE = WORLDS["hosts"]


@pytest.fixture
def races(tmp_path, started):
    print("seed", SEED)
    return started(Races(tmp_path))


def some(numbers):
    """The ends and others by the seed; all of them in a long run."""
    numbers = list(numbers)
    if "GIQ_TEST_RACES" in os.environ or len(numbers) <= KILLS:
        return numbers
    between = random.Random(SEED).sample(numbers[1:-1], KILLS - 2)
    return [numbers[0], *sorted(between), numbers[-1]]


def calls_between(races, first, last, env=DEAD, of="dry"):
    """The calls of one open from a pattern's first to the other's first after it."""
    log = races.folder / f"log-{of}"
    done = races.open(of, {**env, "GIQ_FAULT_LOG": str(log)})
    assert done.returncode == 0, done
    calls = [call.replace(f"{races.key(of)}/", "") for call in log.read_text().splitlines()]
    begin = calls.index(first)
    end = begin + calls[begin:].index(last)
    return calls[begin + 1:end + 1]


def calls_while_sending(races, env=DEAD):
    """Those after the ticket was taken, until the job is recorded in job.json."""
    calls = calls_between(races, "link sent.1", "rename sent.1", env)
    log = (races.folder / "log-dry").read_text().splitlines()
    after = [call.rsplit("/", 1)[-1] for call in log]
    at = max(i for i, call in enumerate(log) if call.endswith("/sent.1")
             and call.startswith("rename"))
    return len(calls) + after[at:].index("job.json") + 1


def check_killed(races, file, done):
    """One was killed, and the others agree with the ticket. Whether the job is known."""
    killed = [one for one in done if one.returncode == -signal.SIGKILL]
    others = [one for one in done if one not in killed]
    assert len(killed) == 1, done
    assert len(races.service.runs[file]) <= 1
    outcome, = races.outcomes(file)
    if outcome == "job":
        races.check_all_read(file, others, f"{file}-1")
        return "job"
    assert outcome is None
    assert [tags(one) for one in others] == [["unknown"]] * len(others), done
    return "unknown"


def check_later(races, file, end):
    """A later open reports the same, and RETRY is a way on where the outcome is unknown."""
    sent = list(races.service.runs[file])
    later = races.open(file)
    if end == "job":
        races.check_all_read(file, [later], f"{file}-1")
    else:
        assert tags(later) == ["unknown"], later
        done = races.race(file, [DEAD], PROCESSES, lambda number: ["RETRY=again"])
        sent.append(f"{file}-{len(sent) + 1}")
        races.check_all_read(file, done, sent[-1])
    assert races.service.runs[file] == sent


@pytest.mark.parametrize("world", ["locks", "dead", "locks-EIO"])
def test_winner_killed_at_every_call(races, world):
    env = WORLDS[world][0]
    count = calls_while_sending(races, env)
    print(count, "calls")
    assert count > 12
    ends = {}
    for at in some(range(1, count + 1)):
        file = f"kill{at}"
        done = races.race(file, [env], PROCESSES, **WON, **TIMEOUT, GIQ_FAULT_AT=str(at),
                          GIQ_FAULT_ACTION="kill-before")
        ends[at] = check_killed(races, file, done)
        check_later(races, file, ends[at])
    print(ends)
    assert ends[1] == "unknown" and ends[count] == "job"
    assert list(ends.values()) == sorted(ends.values(), reverse=True), ends


def test_winner_killed_on_another_host(races):
    """Those on its host report it at once, the others when its ticket has got old."""
    count = calls_while_sending(races, HERE)
    chosen = random.Random(SEED).sample(range(1, count + 1), min(3, ROUNDS))
    for at in chosen:
        file = f"kill{at}"
        fault = {**WON, "GIQ_FAULT_AT": str(at), "GIQ_FAULT_ACTION": "kill-before"}
        racing = races.start([
            races.order(file, {**(HERE if number % 2 else THERE), **fault, "GIQ_TIMEOUT": "25"})
            for number in range(PROCESSES)])
        with contextlib.suppress(AssertionError):
            # Nothing to wait for if the job is known already.
            races.age_when_dead(file)
        check_later(races, file, check_killed(races, file, racing.result()))
    assert len(chosen) == 3


# ---- an owner whose response is held back ----


class Held:
    """The response to the run request of a file, which is given when it is released."""

    def __init__(self, races, file):
        self.came = threading.Event()
        self.released = threading.Event()
        races.held.append(self.released)
        races.service.on_run[file] = self

    def __call__(self):
        self.came.set()
        assert self.released.wait(2 * WAIT_SECONDS)


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: state_of(pid) == "T")
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


def start_held(races, file, env):
    """Start an open that waits for its response: the response, the open, its process."""
    held = Held(races, file)
    opening = races.start([races.order(file, {**env, "GIQ_TIMEOUT": "50"})])
    assert held.came.wait(WAIT_SECONDS)
    return held, opening, races.wait_for_ticket(file)


def finish(held, opening):
    held.released.set()
    [done] = opening.result()
    return done


def test_others_wait_for_an_owner_that_is_alive(races):
    """On its host and elsewhere; they end with its result."""
    held, opening, _ = start_held(races, "f", HERE)
    once = {"GIQ_TIMEOUT": "1"}
    assert tags(races.open("f", {**HERE, **once})) == ["timeout"]
    assert tags(races.open("f", {**THERE, **once})) == ["timeout"]
    waiting = races.start([races.order("f", env) for env in (HERE, THERE) * 4])
    owner = finish(held, opening)
    races.check_all_read("f", [owner, *waiting.result()], "f-1")
    assert races.service.runs["f"] == ["f-1"]


def test_late_job_of_a_stopped_owner_counts(races):
    """Seen from another host it is dead after a minute: its job is unknown, and nobody sends
    the request again. Its host knows better."""
    held, opening, pid = start_held(races, "f", HERE)
    with stopped(pid):
        races.age("f")
        for _ in range(2):
            elsewhere = races.race("f", [THERE], PROCESSES)
            assert [tags(one) for one in elsewhere] == [["unknown"]] * PROCESSES, elsewhere
        assert tags(races.open("f", {**HERE, "GIQ_TIMEOUT": "1"})) == ["timeout"]
        assert races.service.runs["f"] == ["f-1"]
        assert races.outcomes("f") == [None]
    owner = finish(held, opening)
    others = races.race("f", WORLDS["hosts"], PROCESSES)
    races.check_all_read("f", [owner, *others], "f-1")
    assert races.outcomes("f") == ["job"]
    assert races.service.runs["f"] == ["f-1"]


def test_owner_that_waits_touches_its_ticket(races):
    held, opening, _ = start_held(races, "f", HERE)
    path = races.key("f") / "sent.1"
    races.age("f")
    old = path.stat().st_mtime
    wait_for(lambda: path.stat().st_mtime > old)
    assert tags(races.open("f", {**THERE, "GIQ_TIMEOUT": "1"})) == ["timeout"]
    races.check_all_read("f", [finish(held, opening)], "f-1")


def test_late_job_beside_a_further_one_is_named(races):
    """The user has chosen to start another job meanwhile: that one is the request's, and
    GIQ:jobs names the first."""
    held, opening, pid = start_held(races, "f", HERE)
    del races.service.on_run["f"]
    with stopped(pid):
        races.age("f")
        done = races.race("f", [THERE], PROCESSES, lambda number: ["RETRY=again"])
        races.check_all_read("f", done, "f-2")
    owner = finish(held, opening)
    races.check_all_read("f", [owner, races.open("f", HERE)], "f-2")
    assert races.outcomes("f") == ["job", "job"]
    assert [races.ticket("f", n)["job_id"] for n in (1, 2)] == ["f-1", "f-2"]
    [listed] = races.open_all([races.order("f", HERE, name="GIQ:jobs")])
    assert "job_id (String) = f-2" in listed.stdout
    assert "f-1" in next(line for line in listed.stdout.splitlines()
                         if line.startswith("  error (String)"))
    assert races.service.runs["f"] == ["f-1", "f-2"]


def test_owner_that_was_stopped_before_it_sends_does_not_send(races):
    """Another host took it for dead, and the user started a further job there."""
    fault = {"GIQ_FAULT_ON": "link */sent.1", "GIQ_FAULT_ACTION": "stop-after",
             "GIQ_FAULT_LEAP": "25"}
    opening = races.start([races.order("f", {**HERE, **fault, "GIQ_TIMEOUT": "55"})])
    pid = races.wait_for_ticket("f")
    with stopped(pid):
        races.age("f")
        assert tags(races.open("f", THERE)) == ["unknown"]
        done = races.race("f", [THERE], PROCESSES, lambda number: ["RETRY=again"])
        races.check_all_read("f", done, "f-1")
    races.check_all_read("f", opening.result(), "f-1")
    assert races.outcomes("f") == ["nothing", "job"]
    assert races.service.runs["f"] == ["f-1"]


def test_owner_whose_ticket_is_empty_is_not_known(races):
    """As where a ticket was created exclusively, and its owner died before it wrote."""
    held, opening, pid = start_held(races, "f", HERE)
    os.kill(pid, signal.SIGKILL)
    [done] = opening.result()
    assert done.returncode == -signal.SIGKILL
    held.released.set()
    path = races.key("f") / "sent.1"
    path.write_bytes(b"")
    assert tags(races.open("f", {**HERE, "GIQ_TIMEOUT": "1"})) == ["timeout"]
    races.age("f")
    everywhere = races.race("f", WORLDS["hosts"], PROCESSES)
    assert [tags(one) for one in everywhere] == [["unknown"]] * PROCESSES, everywhere
    assert path.read_bytes() == b"" and races.service.runs["f"] == ["f-1"]


def test_host_that_started_again_has_no_owner(races):
    """The same name and another boot id: the process id may be somebody else's."""
    held, opening, _ = start_held(races, "f", HERE)
    again = {**HERE, "GIQ_FAULT_BOOT": host("c")["GIQ_FAULT_BOOT"], "GIQ_TIMEOUT": "1"}
    assert tags(races.open("f", again)) == ["timeout"]
    assert names_read(finish(held, opening)) != []
