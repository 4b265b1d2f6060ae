"""GIQ_MAX_JOBS while programs are killed, or system calls fail, at every call from taking a
slot on: a slot may stay taken for nothing, but no request is sent without one."""
import errno

import pytest

from conftest import errors
from scripted import Response, job

LIMIT = 2
NEVER = 10 ** 6  # the number of a call that no open reaches
OTHERS = 3  # opens after the fault: the last is refused whatever the fault did
ENV = {"GIQ_MAX_JOBS": str(LIMIT), "GIQ_MAX_RETRY": "0"}


def refuse_marked(seen):
    """The run requests of files whose name says so."""
    if b"refused" in seen["body"] and b"other" not in seen["body"]:
        return Response({"message": "no"}, 400)
    return Response(job("SUBMITTED"))


def calls_of_slots(bench, outcome):
    """The numbers of the calls from the one that makes the folder to the one after the last
    that concerns a slot, of an open without a fault."""
    log = bench.folder / "log"
    bench.open(f"{outcome}-dry", {"GIQ_FAULT_LOG": str(log)}, **ENV)
    calls = log.read_text().splitlines()
    assert sum(call.startswith("link ") and "/spent/" in call for call in calls) == 1
    first = next(at for at, call in enumerate(calls, 1) if call.startswith("mkdir ")
                 and call.endswith("/spent"))
    last = max(at for at, call in enumerate(calls, 1) if "/spent" in call)
    return range(first, last + 2)


def taken(bench, label):
    """How many slots are taken in the store of a label, which has one day."""
    names = [path.name for path in bench.folder.glob(f"store-{label}/v1/spent/*/*")]
    return sum(name.isdigit() for name in names)


def check(bench, label, action, at):
    """An open that meets a fault, then others until the limit refuses them. Returns how many
    slots the first one holds, and whether its run request came."""
    bench.open(label, {"GIQ_FAULT_AT": str(at), "GIQ_FAULT_ACTION": action}, **ENV)
    held = taken(bench, label)
    others = [f"{label}-other-{number}" for number in range(OTHERS)]
    ended = [bench.open(label, name=bench.name(other), **ENV) for other in others]
    free = LIMIT - held
    assert [errors(done) for done in ended] == [[]] * free + [["usage"]] * (OTHERS - free), (
        at, ended)
    assert [bench.runs(other) for other in others] == [1] * free + [0] * (OTHERS - free), at
    assert taken(bench, label) == LIMIT
    return held, bench.runs(label)


@pytest.mark.parametrize("action", ["kill-before", str(errno.EIO)])
@pytest.mark.parametrize("outcome", ["started", "refused"])
def test_fault_at_every_call_loses_no_slot(bench, action, outcome):
    bench.service.script["run"] = [refuse_marked]
    numbers = calls_of_slots(bench, outcome)
    ends = bench.each(lambda at: check(bench, f"{outcome}-{action}-{at}", action, at), numbers)
    unhurt = check(bench, f"{outcome}-{action}-none", action, NEVER)
    print(len(ends), "calls;", ends.count((1, 1)), "hold a slot and sent,",
          ends.count((1, 0)), "hold one for nothing")
    if outcome == "started":
        # What was sent has its slot, for ever.
        assert set(ends) - {(0, 0), (1, 0), (1, 1)} == set()
        assert unhurt == (1, 1)
    else:
        # What was refused gave it back at the end.
        assert set(ends) - {(0, 0), (1, 0), (1, 1), (0, 1)} == set()
        assert unhurt == (0, 1)
    if action == "kill-before":
        assert ends[0] == (0, 0)
        assert (1, 0) in ends and (1, 1) in ends
        sent = [runs for _, runs in ends]
        assert sent == sorted(sent)
