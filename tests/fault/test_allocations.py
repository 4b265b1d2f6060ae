"""Every allocation of the plugin fails in turn: one error or none, no crash, no second
job."""
from conftest import errors

MOST = 400


def numbers(count):
    """All of them, or as many as fit, evenly."""
    step = max(1, -(-count // MOST))
    return range(1, count + 1, step)


def test_each_allocation_of_a_new_request(both):
    bench = both
    count = bench.enumerate("dry", GIQ_FAULT_ALLOC="1000000").count("allocation ")
    print(count, "allocations")
    assert count > 60

    def fail(at):
        done = bench.open(at, {"GIQ_FAULT_ALLOC": str(at)})
        assert done.returncode in (0, 1) and len(errors(done)) <= 1, (at, done)
        again = bench.open(at)
        assert again.returncode == 0 or errors(again) == ["unknown"], (at, again)
        assert bench.runs(at) <= 1, at
    bench.each(fail, numbers(count))


def test_each_allocation_of_a_warm_open(both):
    bench = both
    bench.open("warm")
    count = bench.enumerate("warm", GIQ_FAULT_ALLOC="1000000").count("allocation ")
    calls = bench.service.names()

    def fail(at):
        done = bench.open("warm", {"GIQ_FAULT_ALLOC": str(at)})
        assert done.returncode in (0, 1) and len(errors(done)) <= 1, (at, done)
    bench.each(fail, numbers(count))
    assert bench.open("warm").returncode == 0
    assert bench.service.names() == calls


def test_each_allocation_of_an_open_that_is_refused(bench):
    name = "GIQ:model=m;file=f;geometry=POLYGON((0 0,1 1,0 1,1 0,0 0))"
    done = bench.open("area", {"GIQ_FAULT_ALLOC": "1000000",
                               "GIQ_FAULT_LOG": str(bench.folder / "log")}, name)
    assert errors(done) == ["area"]
    count = (bench.folder / "log").read_text().count("allocation ")

    def fail(at):
        done = bench.open("area", {"GIQ_FAULT_ALLOC": str(at)}, name)
        assert done.returncode == 1 and len(errors(done)) == 1, (at, done)
    bench.each(fail, numbers(count))
    assert bench.service.calls() == []
