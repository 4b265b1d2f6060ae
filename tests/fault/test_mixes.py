"""Batches in trouble: random mixes of kills, failing calls of the system, full disks, forks,
other batches and single opens of the same rows, limits, and a service that misbehaves. Then
the batch is opened until it is done. The journal of the service states what a user would
have paid.

The seed is printed; GIQ_TEST_SEED repeats a run, and GIQ_TEST_MIXES=<n> makes it longer."""
import collections
import concurrent.futures
import dataclasses
import errno
import json
import os
import queue
import random
import re
import signal
import traceback

from conftest import Opener, errors
from programs import SCENE, Gdal, Sandbox

MIXES = int(os.environ.get("GIQ_TEST_MIXES") or 40)
MIXES_AT_ONCE = 2
AREAS_MOST = 6
CALLS_OF_AN_AREA = 290  # that the library counts, from the lock to the published result
BYTES_OF_AN_AREA = 3700  # that are written
UNKNOWN = {"sending", "unknown"}
# Of an open that meets a trouble.
TAGS = {"batch", "unknown", "store", "timeout", "credentials", "usage", "refused", "network",
        "incomplete"}


# ---- areas, rows and names ----


def corner(mix, area):
    """The lower left of an area: each of each mix has one of its own."""
    return [mix % 300 - 160, area * 4 - 12]


def ring(mix, area):
    x, y = corner(mix, area)
    return [[x, y], [x, y + 0.5], [x + 0.5, y + 0.5], [x + 0.5, y], [x, y]]


def single(mix, area, more=""):
    points = ",".join(f"{x:g} {y:g}" for x, y in ring(mix, area))
    return f"GIQ:model=wait;file={SCENE};geometry=POLYGON(({points})){more}"


def batch(path, mix, areas):
    """A batch whose rows are these areas, of which some may be equal."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"id": f"r{row}"},
         "geometry": {"type": "Polygon", "coordinates": [ring(mix, area)]}}
        for row, area in enumerate(areas)]}))
    return f"GIQ:batch={path};model=wait;file={SCENE}"


def area_of(mix, points):
    """The area whose lower left is among these points."""
    [area] = [a for a in range(AREAS_MOST) if list(map(float, corner(mix, a))) in points]
    return area


def area_of_run(mix, run):
    text = run["form"].get("geometry")
    if not text:
        return None  # the connection ended before all was received
    return area_of(mix, [list(map(float, pair)) for pair in
                         re.findall(r"(-?[\d.]+) (-?[\d.]+)", text)])


# ---- what goes wrong ----


@dataclasses.dataclass
class Actor:
    """A program that opens something while the mix lasts."""
    name: str
    rows: list
    env: dict = dataclasses.field(default_factory=dict)
    order: dict = dataclasses.field(default_factory=dict)

    def has_failing_call(self):
        return self.env.get("GIQ_FAULT_ACTION", "").isdigit()

    def is_killed(self):
        return self.env.get("GIQ_FAULT_ACTION", "").startswith("kill")


@dataclasses.dataclass
class Mix:
    number: int
    chance: random.Random
    areas: list
    actors: list = dataclasses.field(default_factory=list)
    faults: list = dataclasses.field(default_factory=list)  # of the service
    env: dict = dataclasses.field(default_factory=dict)  # of all actors
    limit: int = None
    folder: object = None

    def add_batch(self, letter):
        rows = self.chance.choices(self.areas, k=self.chance.randint(2, AREAS_MOST))
        name = batch(self.folder / f"rows-{letter}.geojson", self.number, rows)
        self.actors.append(Actor(name, rows, {
            "GIQ_CONCURRENCY": str(self.chance.choice([1, 2, 4, 8]))}))

    def choose(self):
        """One of the actors, and how many areas it opens."""
        actor = self.chance.choice(self.actors)
        return actor, len(set(actor.rows))

    def set_fault(self, *actions):
        """One of these happens to an actor at a call of the system; mostly where a record
        changes or a request is sent, of which there are few."""
        actor, areas = self.choose()
        on, calls = self.chance.choice([(None, CALLS_OF_AN_AREA),
                                        ("rename */job.json", 4), ("send *", 4)])
        actor.env.update(GIQ_FAULT_AT=str(self.chance.randint(1, calls * areas)),
                         GIQ_FAULT_ACTION=str(self.chance.choice(actions)))
        if on is not None:
            actor.env.update(GIQ_FAULT_ON=on)

    def request(self):
        return self.chance.randint(1, len(self.areas))


def second_batch(mix):
    mix.add_batch("b")


def single_opens(mix):
    for area in mix.chance.choices(mix.areas, k=2):
        mix.actors.append(Actor(single(mix.number, area), [area]))


def failing_call(mix):
    mix.set_fault(errno.EIO, errno.ENOSPC, errno.EINTR, errno.EMFILE)


def killed(mix):
    mix.set_fault("kill-before", "kill-after")


def full_disk(mix):
    actor, areas = mix.choose()
    actor.env.update(GIQ_FAULT_ROOM=str(mix.chance.randint(0, BYTES_OF_AN_AREA * areas)))


def forks(mix):
    actor, _ = mix.choose()
    actor.order.update(forks=[mix.chance.random() * 0.3 for _ in range(3)])


def forked_twin(mix):
    """A process that has opened something opens another in two processes at once. The twin
    of one that is killed would live on, and a call would fail in both."""
    actor, _ = mix.choose()
    if not actor.is_killed() and not actor.has_failing_call():
        actor.order.update(first=single(mix.number, mix.chance.choice(mix.areas)))


def limited_jobs(mix):
    """Each open by itself is within the limit, all of them may not be."""
    mix.add_batch("c")
    opened = [set(actor.rows) for actor in mix.actors]
    mix.limit = mix.chance.randint(max(map(len, opened)), len(set.union(*opened)))
    mix.env.update(GIQ_MAX_JOBS=str(mix.limit))


def throttled(mix):
    first = mix.request()
    after = mix.chance.choice(["", ",retry-after=0", ",retry-after=1"])
    mix.faults += [f"run:status=429{after}@{first}-{first + mix.chance.randint(0, 3)}",
                   f"status:status=429{after}@{mix.request()}"]


def refused_key(mix):
    mix.env.update(GIQ_TIMEOUT="3")
    call, status = mix.chance.choice([("run", 401), ("run", 403), ("status", 401)])
    mix.faults.append(f"{call}:status={status}@{mix.request()}-999")


def timeout(mix):
    mix.env.update(GIQ_TIMEOUT=mix.chance.choice(["0", "1"]))
    mix.faults.append(f"status:state=RUNNING@{mix.request()}-999")


def lost_responses(mix):
    mix.faults += [f"run:lost@{mix.request()}", f"status:lost@{mix.request()}",
                   f"download:lost@{mix.request()}"]


def vague_responses(mix):
    kind = mix.chance.choice(["status=500", "status=503,retry-after=1", "body=<html>",
                              "reset-before", "reset-after"])
    mix.faults.append(f"run:{kind}@{mix.request()}")


def slow_service(mix):
    mix.faults += [f"download:cut=40@{mix.request()}", f"status:late=0.2@{mix.request()}"]
    # What nobody waits for would come into the journal after the mix.
    if not any(actor.is_killed() for actor in mix.actors):
        mix.faults.append(f"run:late=0.3@{mix.request()}")


# The first ones first: the others choose an actor.
TROUBLES = [second_batch, single_opens, limited_jobs, failing_call, killed, full_disk, forks,
            forked_twin, throttled, refused_key, timeout, lost_responses, vague_responses,
            slow_service]
SHARES = {killed: 0.5}  # of all mixes, where not a fifth


def make_mix(folder, number, seed):
    """Each trouble in its turn, with others at random."""
    chance = random.Random(seed * 1000 + number)
    areas = list(range(chance.randint(2, AREAS_MOST)))
    mix = Mix(number, chance, areas, folder=folder)
    mix.add_batch("a")
    chosen = [trouble for at, trouble in enumerate(TROUBLES)
              if at == number % len(TROUBLES)
              or chance.random() < SHARES.get(trouble, 0.2)]
    for trouble in chosen:
        trouble(mix)
    return mix, [trouble.__name__ for trouble in chosen]


# ---- opening ----


class Bench:
    """A service and programs that open, for one mix after the other."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.sandbox = Sandbox(folder / "sandbox", "--offer-wait", "--workers", "64",
                               "--job-seconds", "0.05")
        self.gdal = Gdal(folder, self.sandbox.url)
        self.openers = []

    def stop(self):
        for opener in self.openers:
            opener.stop()
        self.sandbox.stop()

    def open_all(self, actors, store, env):
        """What each said, all having run at once."""
        while len(self.openers) < len(actors):
            self.openers.append(Opener(self.gdal, len(self.openers)))
        with concurrent.futures.ThreadPoolExecutor(len(actors)) as pool:
            return list(pool.map(
                lambda opener, actor: opener.open(actor.name, {
                    "GIQ_STORE_DIR": str(store), "GIQ_FAULT_STORE": str(store),
                    "GIQ_POLL_INTERVAL": "0.05", "GIQ_TIMEOUT": "30", **env, **actor.env},
                    **actor.order), self.openers, actors))

    def open(self, name, store, *options):
        [done] = self.open_all([Actor(name, [], order={"options": options})], store, {})
        return done


def rows_read(done):
    return re.findall(r"row \(String\) = (\w+)", done.stdout)


def check_actor(actor, done):
    """Killed, or everything, or one error. A twin is one more open of the same, after one of
    something else. A call that fails when the dataset is read already is an error, after
    which GDAL's union goes on with the next row."""
    if done.returncode == -signal.SIGKILL:
        assert actor.is_killed(), done
        return "killed"
    opens = 2 if "first" in actor.order else 1
    tags = errors(done)
    assert TAGS.issuperset(tags), done
    features = done.stdout.count("number (Integer) = 1")
    if done.returncode == 0 and tags == ["store"] and actor.has_failing_call() and opens == 1:
        assert features < len(actor.rows), done
        return "cut"
    if done.returncode == 0:
        assert len(tags) < opens, done
        assert features >= opens * len(actor.rows), done
        return "read"
    assert 1 <= len(tags) <= 2 * opens - 1, done
    return tags[-1]


def is_out(folder):
    """Whether the newest ticket has no outcome: the run request may have been sent."""
    tickets = [path for path in folder.glob("sent.*") if path.suffix[1:].isdigit()]
    if not tickets:
        return False
    newest = max(tickets, key=lambda path: int(path.suffix[1:]))
    return '"outcome"' not in newest.read_text()


def states(mix, store):
    """The states of the records, by area, whose published results are complete."""
    found = {}
    for path in store.glob("v1/*/job.json"):
        record = json.loads(path.read_text())
        request = json.loads((path.parent / "request.json").read_text())
        area = area_of(mix.number, [list(map(float, pair)) for pair in re.findall(
            r"(-?[\d.]+) (-?[\d.]+)", json.dumps(request))])
        assert area not in found
        is_pending = record["state"] == "intent" and is_out(path.parent)
        found[area] = "sending" if is_pending else record["state"]
        if record["state"] == "published":
            result = path.parent / record["result"]["folder"] / record["result"]["name"]
            assert result.stat().st_size == record["result"]["size"]
            [feature] = json.loads(result.read_text())["features"]
            assert area_of(mix.number, feature["geometry"]["coordinates"][0]) == area
    return found


def check_paid(mix, runs, most):
    """At most `most[area]` requests that may have made a job; the jobs, by area."""
    sent = [run for run in runs if not 400 <= run["status"] < 500]
    assert len(sent) <= sum(most.values()), sent
    jobs = collections.defaultdict(list)
    for run in sent:
        area = area_of_run(mix.number, run)
        if run["job"] is not None:
            jobs[area].append(run["job"])
    for area, made in jobs.items():
        assert len(made) <= most[area], (area, made)
    if mix.limit is not None:
        days = collections.Counter(run["time"][:10] for run in sent)
        assert max(days.values(), default=0) <= mix.limit, sent
    return jobs


# ---- a mix ----


def runs_since(bench, first):
    return [entry for entry in bench.sandbox.journal()[first:]
            if entry["path"].endswith("inference/run")]


def finish_unknown(bench, mix, store, unknown, jobs):
    """Adopt the jobs that were made, and start the others: what the error advises. How many
    were started for each area."""
    retried = collections.Counter()
    for area in sorted(unknown):
        if jobs[area]:
            done = bench.open(single(mix.number, area, f";job={jobs[area][0]}"), store)
        else:
            retried[area] = 1
            done = bench.open(single(mix.number, area), store, "RETRY=again")
        assert done.returncode == 0, done
    return retried


def finish(bench, mix, store, first):
    """Open all areas as one batch until it is done; how many were unknown."""
    name = batch(mix.folder / "rows-all.geojson", mix.number, mix.areas)
    once = collections.Counter(mix.areas)
    done = bench.open(name, store)
    found = states(mix, store)
    jobs = check_paid(mix, runs_since(bench, first), once)
    unknown = {area for area, state in found.items() if state in UNKNOWN}
    known = set(mix.areas) - unknown
    assert set(found) == set(mix.areas), (found, done)
    assert all(found[area] == "published" and len(jobs[area]) == 1 for area in known), (
        found, jobs, done)
    calls = len(bench.sandbox.journal())
    again = bench.open(name, store)
    assert (done.returncode, done.stdout) == (again.returncode, again.stdout)
    if unknown:
        assert errors(done) == errors(again) == ["batch"], done
        assert f"({len(unknown)} unknown)" in done.stderr, done
        others = bench.open(name, store, "ON_FAILED=SKIP")
        assert rows_read(others) == [f"r{area}" for area in sorted(known)], others
    assert len(bench.sandbox.journal()) == calls, "a call for what is final"
    retried = finish_unknown(bench, mix, store, unknown, jobs)
    done = bench.open(name, store)
    check_paid(mix, runs_since(bench, first), once + retried)
    assert done.returncode == 0, done
    assert rows_read(done) == [f"r{area}" for area in mix.areas], done
    assert set(states(mix, store).values()) == {"published"}
    return len(unknown)


def run_mix(bench, mix):
    """Returns how the actors ended, and how many rows were unknown then."""
    store = mix.folder / "store"
    first = len(bench.sandbox.journal())
    bench.sandbox.set_faults(*mix.faults)
    ended = bench.open_all(mix.actors, store, mix.env)
    bench.sandbox.set_faults()
    ends = [check_actor(actor, done) for actor, done in zip(mix.actors, ended)]
    states(mix, store)
    check_paid(mix, runs_since(bench, first), collections.Counter(mix.areas))
    mix.limit = None
    return ends, finish(bench, mix, store, first)


def test_random_mixes_pay_each_row_once(tmp_path):
    seed = int(os.environ.get("GIQ_TEST_SEED") or random.randrange(1 << 20))
    print("seed", seed)
    benches = queue.SimpleQueue()
    made = [Bench(tmp_path / f"bench-{i}") for i in range(MIXES_AT_ONCE)]
    for bench in made:
        benches.put(bench)

    def work(number):
        folder = tmp_path / f"mix-{number}"
        folder.mkdir()
        mix, troubles = make_mix(folder, number, seed)
        bench = benches.get()
        try:
            return troubles, *run_mix(bench, mix), None
        except Exception:
            return troubles, [], 0, f"{mix}\n{traceback.format_exc()}"
        finally:
            benches.put(bench)

    try:
        with concurrent.futures.ThreadPoolExecutor(MIXES_AT_ONCE) as pool:
            mixes = list(pool.map(work, range(MIXES)))
    finally:
        for bench in made:
            bench.stop()
    for number, (troubles, ends, unknown, _) in enumerate(mixes):
        print(number, *troubles, "->", *ends, f"{unknown} unknown")
    failures = [failure for *_, failure in mixes if failure is not None]
    assert len(mixes) == MIXES and failures == [], "\n".join([f"seed {seed}", *failures])
