"""Many processes open one request at once in a store whose locks lock nothing, or fail, whose
links fail, on hosts that do not know each other and whose clocks differ: one run request, one
result, and every process reads it.

The seed is printed; GIQ_TEST_SEED repeats a run, and GIQ_TEST_RACES=<n> makes it longer."""
import shutil
import threading

import pytest

from races import DEAD, PROCESSES, ROUNDS, SEED, WAIT_SECONDS, WORLDS, Races, tags

OTHER_ROUNDS = max(2, ROUNDS // 10)  # of the other worlds, and of the other races
ROUNDS_OF = {world: OTHER_ROUNDS for world in WORLDS} | {"dead": ROUNDS}


@pytest.fixture(scope="module")
def races(tmp_path_factory):
    print("seed", SEED)
    made = Races(tmp_path_factory.mktemp("races"))
    yield made
    made.stop()


def each_round(races, word, rounds, work):
    """Work with a file of its own in each round; its store is removed if all went well."""
    worked = []
    for number in range(rounds):
        file = f"{word}{number}"
        try:
            work(file)
        except AssertionError as error:
            raise AssertionError(f"round {number}, seed {SEED}") from error
        shutil.rmtree(races.store(file))
        worked.append(file)
    print(len(worked), "rounds")
    assert len(worked) == rounds


@pytest.mark.parametrize("world", WORLDS)
def test_one_run_request(races, world):
    def work(file):
        done = races.race(file, WORLDS[world])
        assert races.service.runs[file] == [f"{file}-1"]
        races.check_all_read(file, done, f"{file}-1")
        assert races.outcomes(file) == ["job"]
    each_round(races, world, ROUNDS_OF[world], work)


@pytest.mark.parametrize("world", ["locks", "dead", "hosts", "clocks"])
def test_throttled_run_request_is_sent_again_by_one(races, world):
    def work(file):
        races.service.throttles[file] = 2
        done = races.race(file, WORLDS[world])
        assert races.service.throttled[file] == 2
        assert races.service.runs[file] == [f"{file}-1"]
        races.check_all_read(file, done, f"{file}-1")
        assert races.outcomes(file) == ["nothing", "nothing", "job"]
    each_round(races, f"throttled-{world}", OTHER_ROUNDS, work)


# ---- RETRY ----


def fail(races, file, env=DEAD):
    """Open a request whose job fails."""
    races.service.failing.add(f"{file}-1")
    done = races.open(file, env)
    assert tags(done) == ["failed"] and races.service.runs[file] == [f"{file}-1"], done


@pytest.mark.parametrize("world", WORLDS)
def test_retry_with_one_label_starts_one_job(races, world):
    def work(file):
        fail(races, file, WORLDS[world][0])
        done = races.race(file, WORLDS[world], options=lambda number: ["RETRY=again"])
        assert races.service.runs[file] == [f"{file}-1", f"{file}-2"]
        races.check_all_read(file, done, f"{file}-2")
        assert races.outcomes(file) == ["job", "job"]
    each_round(races, f"label-{world}", OTHER_ROUNDS, work)


def label_of(number):
    return ["RETRY=red" if number % 2 else "RETRY=blue"]


@pytest.mark.parametrize("world", ["locks", "dead", "hosts"])
def test_second_label_sends_nothing_after_success(races, world):
    def work(file):
        fail(races, file, WORLDS[world][0])
        done = races.race(file, WORLDS[world], options=label_of)
        assert races.service.runs[file] == [f"{file}-1", f"{file}-2"]
        races.check_all_read(file, done, f"{file}-2")
    each_round(races, f"well-{world}", OTHER_ROUNDS, work)


@pytest.mark.parametrize("world", ["locks", "dead", "hosts"])
def test_second_label_sends_after_a_failure(races, world):
    """An open that waits for the job of the first label reports its failure; one that comes
    later sends, and so does one more open with the second label."""
    def work(file):
        fail(races, file, WORLDS[world][0])
        races.service.failing.add(f"{file}-2")
        done = races.race(file, WORLDS[world], options=label_of)
        sent = [races.ticket(file, n).get("label")
                for n in range(2, len(races.outcomes(file)) + 1)]
        assert len(sent) == len(set(sent)) == len(races.service.runs[file]) - 1
        read = [one for one in done if one.returncode == 0]
        failed = [one for one in done if one not in read]
        assert [tags(one) for one in failed] == [["failed"]] * len(failed), failed
        [second] = {"red", "blue"} - {sent[0]}
        later = races.race(file, WORLDS[world], options=lambda number: [f"RETRY={second}"])
        races.check_all_read(file, [*read, *later], f"{file}-3")
        later = races.race(file, WORLDS[world], options=label_of)
        races.check_all_read(file, later, f"{file}-3")
        assert races.service.runs[file] == [f"{file}-{n}" for n in (1, 2, 3)]
        assert races.ticket(file, 2)["label"] == sent[0]
        assert races.ticket(file, 3)["label"] == second
    each_round(races, f"bad-{world}", OTHER_ROUNDS, work)


# ---- publishing ----


class Gate:
    """The first of these downloads wait for each other, so that several are published."""

    def __init__(self, count):
        self.left = count
        self.opened = threading.Event()
        self.lock = threading.Lock()

    def __call__(self):
        with self.lock:
            self.left -= 1
            if self.left <= 0:
                self.opened.set()
        assert self.opened.wait(WAIT_SECONDS)


def submit(races, file):
    """Open a request whose job is not awaited."""
    done = races.open(file, options=["WAIT=NO"])
    assert done.returncode == 0 and races.service.runs[file] == [f"{file}-1"], done


@pytest.mark.parametrize("world", ["dead", "hosts", "locks-ENOLCK", "links-EPERM",
                                   "links-lost"])
def test_first_publisher_wins(races, world):
    def work(file):
        submit(races, file)
        gate = races.service.on_download[f"{file}-1"] = Gate(PROCESSES)
        done = races.race(file, WORLDS[world])
        assert gate.opened.is_set()
        assert len(races.service.results[f"{file}-1"]) == PROCESSES
        races.check_all_read(file, done, f"{file}-1")
        assert races.service.runs[file] == [f"{file}-1"]
    each_round(races, f"publish-{world}", OTHER_ROUNDS, work)


@pytest.mark.parametrize("world", ["dead", "hosts"])
def test_result_that_was_removed_is_fetched_again(races, world):
    """By all of them at once; the next generation has one winner too."""
    def work(file):
        races.check_all_read(file, [races.open(file, WORLDS[world][0])], f"{file}-1")
        [folder] = races.files(file, "result*")
        shutil.rmtree(races.key(file) / folder)
        races.service.on_download[f"{file}-1"] = Gate(PROCESSES)
        done = races.race(file, WORLDS[world])
        races.check_all_read(file, done, f"{file}-1")
        assert races.service.runs[file] == [f"{file}-1"]
    each_round(races, f"again-{world}", OTHER_ROUNDS, work)

