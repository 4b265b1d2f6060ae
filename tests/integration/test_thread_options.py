"""Options that one thread of a program has for itself, or for a time: an open that does
not see them starts no job and records none."""
import json

import pytest

import secret_search
from scripted import Response, job

NAME = "GIQ:model=m;file=f"
# Each step is the thread ("main" or "other"), its thread-local options, and what is opened
# with which open options; with None for the options they stay as they are.
SCRIPT = """
import json, sys, threading
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
def work(options, name, open_options):
    for key, value in options.items():
        gdal.SetThreadLocalConfigOption(key, value)
    gdal.ErrorReset()
    dataset = gdal.OpenEx(name, gdal.OF_VECTOR, open_options=open_options)
    print("opened" if dataset else gdal.GetLastErrorMsg().replace("\\n", " "), flush=True)
for where, *step in json.load(sys.stdin):
    if where == "main":
        work(*step)
    else:
        thread = threading.Thread(target=work, args=step)
        thread.start()
        thread.join()
"""


def opens(gdal, *steps, without=(), env=None):
    """One line for each step, in a program whose environment lacks some options."""
    unset = {name: value for name, value in gdal.env.items() if name not in without}
    gdal.env = unset
    process = gdal.start("/usr/bin/python3", "-c", SCRIPT, env=env, stdin=-1)
    steps = [(*step, [])[:4] for step in steps]
    done = gdal.finish(process, says=json.dumps(steps))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def value_of(gdal, service, option):
    key = secret_search.is_input(gdal.folder / "key")
    key.write_text(secret_search.KEY + "\n")
    key.chmod(0o600)
    return {"GIQ_BASE_URL": service.url, "GIQ_STORE_DIR": str(gdal.store),
            "GIQ_SUBMIT": "IF_MISSING", "GIQ_MAX_JOBS": "9",
            "GIQ_API_KEY": secret_search.KEY,
            "GIQ_API_KEY_FILE": str(key), "GIQ_BEARER_TOKEN": secret_search.KEY}[option]


GENERAL = ["GIQ_BASE_URL", "GIQ_STORE_DIR", "GIQ_SUBMIT", "GIQ_MAX_JOBS"]
OPTIONS = [*GENERAL, "GIQ_API_KEY", "GIQ_API_KEY_FILE", "GIQ_BEARER_TOKEN"]


def hidden(option):
    """What the environment must lack for nobody else to have a value of it."""
    return [option] if option in GENERAL else [option, "GIQ_API_KEY"]


@pytest.mark.parametrize("name", [NAME + ";rerun=b", "GIQ:job=job-1", f"{NAME};job=job-1",
                                  "GIQ:model=m;upload=local.csv"])
@pytest.mark.parametrize("option", OPTIONS)
def test_option_of_one_thread_stops_the_jobs_of_another(scripted_gdal, service, option,
                                                        name):
    (scripted_gdal.folder / "local.csv").write_text("a\n1\n")
    value = value_of(scripted_gdal, service, option)
    first, second = opens(scripted_gdal, ("main", {option: value}, "GIQ:model=m;file=g"),
                          ("other", {}, name), without=hidden(option))
    assert first == "opened"
    if name == "GIQ:job=job-1" and option != "GIQ_STORE_DIR" and option != "GIQ_BASE_URL":
        assert second == "opened"
    else:
        assert second.startswith("GIQ[usage] ") and option in second, second
        assert "gdal.SetConfigOption()" in second
    assert service.names() == ["models", "run", "status", "download"]
    assert len(scripted_gdal.records()) == 1
    assert not (scripted_gdal.folder / ".local/share/giq/v1").exists()


def test_submit_no_of_one_thread_is_not_lifted_by_an_open_option(scripted_gdal, service):
    first, second = opens(scripted_gdal, ("main", {"GIQ_SUBMIT": "NO"}, NAME),
                          ("other", {}, NAME, ["SUBMIT=IF_MISSING"]))
    assert "no job is recorded" in first and first.startswith("GIQ[usage] ")
    assert second.startswith("GIQ[usage] GIQ_SUBMIT was set for one thread")
    assert service.calls() == []


@pytest.mark.parametrize("option", ["GIQ_SUBMIT", "GIQ_API_KEY"])
def test_what_is_published_opens_all_the_same(scripted_gdal, service, option):
    scripted_gdal.run("ogrinfo", NAME)
    names = service.names()
    value = value_of(scripted_gdal, service, option)
    outcomes = opens(scripted_gdal, ("main", {option: value}, NAME), ("other", {}, NAME),
                 ("other", {}, "GIQ:job=job-1"), without=hidden(option))
    assert outcomes == ["opened"] * 3
    assert service.names() == names


@pytest.mark.parametrize("option", OPTIONS)
def test_value_of_its_own_serves_a_thread(scripted_gdal, service, option):
    value = value_of(scripted_gdal, service, option)
    outcomes = opens(scripted_gdal, ("main", {option: value}, NAME),
                 ("other", {option: value}, NAME + ";rerun=b"), without=hidden(option))
    assert outcomes == ["opened"] * 2
    assert len(service.calls("run")) == 2


def test_value_for_all_threads_serves_a_thread(scripted_gdal, service):
    own = {name: value_of(scripted_gdal, service, name)
           for name in ("GIQ_BASE_URL", "GIQ_STORE_DIR", "GIQ_API_KEY")}
    outcomes = opens(scripted_gdal, ("main", own, NAME), ("other", {}, NAME + ";rerun=b"))
    assert outcomes == ["opened"] * 2
    assert len(service.calls("run")) == 2


def test_another_kind_of_key_serves_a_thread(scripted_gdal, service):
    outcomes = opens(scripted_gdal, ("main", {"GIQ_BEARER_TOKEN": secret_search.KEY}, NAME),
                 ("other", {}, NAME + ";rerun=b"))
    assert outcomes == ["opened"] * 2


def test_option_of_the_services_path_serves_a_thread(scripted_gdal, service):
    config = scripted_gdal.folder / "gdalrc"
    config.write_text(f"[credentials]\n[.giq]\npath={service.url}\n"
                      f"GIQ_API_KEY={secret_search.KEY}\n"
                      f"GIQ_STORE_DIR={scripted_gdal.store}\n")
    secret_search.is_input(config)
    own = {name: value_of(scripted_gdal, service, name)
           for name in ("GIQ_STORE_DIR", "GIQ_API_KEY")}
    outcomes = opens(scripted_gdal, ("main", own, NAME), ("other", {}, NAME + ";rerun=b"),
                 without=own, env={"GDAL_CONFIG_FILE": str(config)})
    assert outcomes == ["opened"] * 2


@pytest.mark.parametrize("option", OPTIONS)
def test_option_that_a_thread_had_stops_its_own_jobs(scripted_gdal, service, option):
    value = value_of(scripted_gdal, service, option)
    outcomes = opens(scripted_gdal, ("main", {option: value}, NAME),
                 ("main", {option: None}, NAME + ";rerun=b"), without=hidden(option))
    assert outcomes[0] == "opened"
    assert outcomes[1].startswith("GIQ[usage] ") and option in outcomes[1]
    assert len(service.calls("run")) == 1


# As gdal.config_options() of later versions of GDAL does.
IN_A_BLOCK = """
import contextlib, sys
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
@contextlib.contextmanager
def config_option(name, value):
    gdal.SetThreadLocalConfigOption(name, value)
    yield
    gdal.SetThreadLocalConfigOption(name, None)
def opens():
    gdal.ErrorReset()
    dataset = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR)
    print("opened" if dataset else gdal.GetLastErrorMsg(), flush=True)
with config_option(*sys.argv[2:]):
    opens()
opens()
with config_option(*sys.argv[2:]):
    opens()
"""


@pytest.mark.parametrize("option", OPTIONS)
def test_request_is_not_paid_for_again_after_a_block(scripted_gdal, service, option):
    value = value_of(scripted_gdal, service, option)
    scripted_gdal.env = {name: text for name, text in scripted_gdal.env.items()
                         if name not in hidden(option)}
    outcomes = scripted_gdal.python(IN_A_BLOCK, NAME, option, value).stdout.splitlines()
    if option in ("GIQ_BASE_URL", "GIQ_STORE_DIR"):
        assert outcomes[1].startswith(f"GIQ[usage] {option} was set for one thread only")
    else:
        assert outcomes[1] == "opened"
    assert outcomes[::2] == ["opened"] * 2
    assert len(service.calls("run")) == 1
    assert not (scripted_gdal.folder / ".local/share/giq/v1").exists()


def test_missing_key_is_said_to_be_that_of_another_thread(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    outcomes = opens(scripted_gdal,
                 ("main", {"GIQ_API_KEY": secret_search.KEY}, NAME, ["TIMEOUT=0"]),
                 ("other", {}, "GIQ:models"), without=["GIQ_API_KEY"])
    assert outcomes[1].startswith("GIQ[credentials] GIQ_API_KEY was set for one thread")
