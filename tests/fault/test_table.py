"""Every row of table.py: the fault, then the same open of a service that is well."""
import re

import pytest

import table
from programs import PUBLISHED, Gdal
from raw import RESULT, RawService
from table import KEY

NAME = re.compile(r"[a-z_]([\w-]|\.(?=\w))*", re.A)
ROW_NAME = re.compile(r"[a-z0-9_.]+")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


@pytest.fixture
def service(started):
    return started(RawService())


def environment(row, service, folder):
    (folder / "a-file").write_text("")
    env = {"GIQ_API_KEY": KEY, "GIQ_RETRY_DELAY": "0.01", "CPL_DEBUG": "GIQ", **row.env}
    here = service.url.split("//")[1]
    places = {"https://HERE": f"https://{here}", "FILE": str(folder / "a-file")}
    return {name: places.get(value, value) for name, value in env.items()}


def open_result(gdal, row, env):
    return gdal.run("ogrinfo", "-al", row.opens, ok=None, env=env, timeout=60)


def errors_of(done):
    return [line for line in done.stderr.splitlines() if "GIQ[" in line]


def check_seen(row, done):
    errors = errors_of(done)
    if row.sees == "":
        assert errors == [] and done.returncode == 0, done.stderr
        if row.opens != table.MODELS:
            assert "name (String) = number 19" in done.stdout
        return
    assert len(errors) == 1, done.stderr
    assert f"GIQ[{row.sees}]" in errors[0] and row.says in errors[0], errors[0]
    assert len(errors[0].encode()) < 600


def check_store(row, gdal):
    states = [record["state"] for record in gdal.records().values()]
    wanted = row.state or ("published" if row.sees == "" and row.runs else "")
    assert states == ([wanted] if wanted else [])
    results = list(gdal.store.glob(f"v1/*/{PUBLISHED}/**/*.*"))
    assert len(results) == (wanted == "published")
    for path in results:
        assert path.read_bytes() == RESULT
        assert path.name == row.keeps
        assert NAME.fullmatch(path.name) and len(path.name) <= 128
    outside = [path for path in gdal.folder.rglob("*evil*")
               if not any(above.match(PUBLISHED) for above in path.parents)]
    assert outside == []


def check_way_on(row, gdal, service):
    """Well again, the same open gives the result, and no job more than it must."""
    service.faults.clear()
    runs = service.count("run")
    done = gdal.run("ogrinfo", "-al", "GIQ:model=m;file=f", ok=None,
                    env={"GIQ_API_KEY": KEY})
    more = service.count("run") - runs
    final = "gone" if row.sees == "gone" else row.state
    if final in ("unknown", "failed", "gone"):
        assert more == 0 and f"GIQ[{final}]" in done.stderr
        return
    assert done.returncode == 0 and "number 19" in done.stdout, done.stderr
    assert more == (0 if gdal_had_a_job(row) else 1)


def gdal_had_a_job(row):
    return row.state != "" or (row.sees == "" and row.runs > 0)


@pytest.mark.parametrize("row", table.ROWS, ids=lambda row: row.name)
def test_row(row, service, tmp_path):
    service.faults = {call: list(fault) if isinstance(fault, list) else fault
                      for call, fault in row.faults.items()}
    gdal = Gdal(tmp_path, service.url)
    done = open_result(gdal, row, environment(row, service, tmp_path))
    check_seen(row, done)
    assert service.count("run") == row.runs
    check_store(row, gdal)
    assert CONTROL.search(done.stdout + done.stderr) is None, "nothing steers a terminal"
    check_way_on(row, gdal, service)


def test_names_of_rows_are_unique_and_fit_ctest():
    names = [row.name for row in table.ROWS]
    assert sorted(names) == sorted(set(names))
    assert [name for name in names if not ROW_NAME.fullmatch(name)] == []
