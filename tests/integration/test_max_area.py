"""GIQ_MAX_AREA: the largest area of a new job, which nothing but configuration lifts."""
import json

import pytest

from scripted import Response, job

NAME = "GIQ:model=m;file=f"
SMALL = "bbox='54,24,54.1,24.1'"  # about 112.7 km2
LARGE = "bbox='54,24,55,25'"      # about 11226.5 km2
LIMIT = {"GIQ_MAX_AREA": "200"}
# The size is rounded up.
WORDS = ("the area has 11226.471673 km2, and GIQ_MAX_AREA allows a new job of at most 200 "
         "km2; give a smaller area, or raise GIQ_MAX_AREA")
NO_AREA = ("the request has no area, so the model would run on the whole file, whose size "
           "is not known, and GIQ_MAX_AREA allows a new job of at most 200 km2; give an "
           "area, or unset GIQ_MAX_AREA")
AS_IS = ("with GEOMETRY_CRS=AS_IS the size of the area is not known, and GIQ_MAX_AREA "
         "allows a new job of at most 200 km2; give the area in longitude and latitude, "
         "or unset GIQ_MAX_AREA")


def refused(gdal, name, *options, env=None):
    return gdal.fails("ogrinfo", *options, name, tag="usage", env={**LIMIT, **(env or {})})


def test_larger_area_is_refused_before_anything_is_sent(scripted_gdal, service):
    assert WORDS in refused(scripted_gdal, f"{NAME};{LARGE}")
    assert WORDS in refused(scripted_gdal, f"{NAME};{LARGE};wait=no")
    assert service.calls() == [] and scripted_gdal.records() == {}
    scripted_gdal.run("ogrinfo", f"{NAME};{SMALL}", env=LIMIT)
    assert len(service.calls("run")) == 1


def test_request_whose_size_is_not_known_is_refused(scripted_gdal, service):
    assert NO_AREA in refused(scripted_gdal, NAME)
    assert AS_IS in refused(scripted_gdal, f"{NAME};{SMALL}", "-oo", "GEOMETRY_CRS=AS_IS")
    assert service.calls() == [] and scripted_gdal.records() == {}


def test_area_of_exactly_the_limit_is_allowed(scripted_gdal, service):
    whole = f"{NAME};bbox='-180,-90,180,90'"
    text = refused(scripted_gdal, whole, env={"GIQ_MAX_AREA": "510065621.724088"})
    assert ("the area has 510065621.724089 km2, and GIQ_MAX_AREA allows a new job of at "
            "most 510065621.724088 km2") in text
    scripted_gdal.run("ogrinfo", whole, env={"GIQ_MAX_AREA": "510065621.724089"})
    assert len(service.calls("run")) == 1


def test_nothing_is_uploaded(scripted_gdal, service):
    (scripted_gdal.folder / "local.csv").write_text("a\n1\n")
    assert NO_AREA in refused(scripted_gdal, "GIQ:model=m;upload=local.csv")
    assert WORDS in refused(scripted_gdal, f"GIQ:model=m;upload=local.csv;{LARGE}")
    assert service.calls() == [] and scripted_gdal.records() == {}


def test_what_is_recorded_opens_as_before(scripted_gdal, service):
    service.script["status"] = [Response(job("RUNNING"))]
    for request in (NAME, f"{NAME};{LARGE}"):
        scripted_gdal.run("ogrinfo", f"{request};wait=no")
    service.script["status"] = [Response(job("COMPLETED"))]
    for request in (NAME, f"{NAME};{LARGE}"):
        for _ in range(2):
            scripted_gdal.run("ogrinfo", request, env=LIMIT)
    assert len(service.calls("run")) == 2
    assert len(service.calls("download")) == 2


def test_adoption_starts_no_job_and_has_no_limit(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", f"{NAME};{LARGE};job=job-7", env=LIMIT)
    scripted_gdal.run("ogrinfo", "GIQ:job=job-8", env=LIMIT)
    assert service.calls("run") == []


def test_retry_and_rerun_are_new_jobs(scripted_gdal, service):
    service.script["status"] = [Response(job("FAILED"))]
    scripted_gdal.fails("ogrinfo", f"{NAME};{LARGE}", tag="failed")
    names = service.names()
    for _ in range(2):
        assert WORDS in refused(scripted_gdal, f"{NAME};{LARGE}", "-oo", "RETRY=a")
        assert WORDS in refused(scripted_gdal, f"{NAME};{LARGE};rerun=a")
    assert service.names() == names
    # The label was not used up.
    scripted_gdal.fails("ogrinfo", "-oo", "RETRY=a", f"{NAME};{LARGE}", tag="failed")
    assert len(service.calls("run")) == 2


def test_abandoned_intent_is_a_new_job(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", f"{NAME};{LARGE}")
    scripted_gdal.drop_tickets()
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    path.write_text(json.dumps({"format": 1, "state": "intent"}))
    assert WORDS in refused(scripted_gdal, f"{NAME};{LARGE}")
    assert len(service.calls("run")) == 1


def test_dry_run_shows_the_limit(scripted_gdal, service):
    for request, options, words in ((f"{NAME};{LARGE}", [], WORDS), (NAME, [], NO_AREA),
                                    (f"{NAME};{SMALL}", ["-oo", "GEOMETRY_CRS=AS_IS"],
                                     AS_IS),
                                    (f"{NAME};{SMALL}", [], "(null)")):
        done = scripted_gdal.run("ogrinfo", "-al", "-oo", "SUBMIT=NO", *options,
                                 f"{request};wait=no", env={**LIMIT, "GIQ_API_KEY": ""})
        assert "state (String) = not submitted\n" in done.stdout
        assert f"error (String) = {words}\n" in done.stdout
    assert service.calls() == [] and not scripted_gdal.store.exists()


VRT = """<OGRVRTDataSource><OGRVRTLayer name="result">
<SrcDataSource>%s</SrcDataSource>
<OpenOptions><OOI key="%s">1000000</OOI></OpenOptions>
</OGRVRTLayer></OGRVRTDataSource>"""


@pytest.mark.parametrize("name", ["MAX_AREA", "GIQ_MAX_AREA"])
def test_no_open_option_lifts_it(scripted_gdal, service, name):
    words = (f"{name} cannot be an open option, because project and VRT files from others "
             "can contain open options; set the configuration option GIQ_MAX_AREA")
    for env in (LIMIT, {}):
        text = scripted_gdal.fails("ogrinfo", "-oo", f"{name}=1000000", f"{NAME};{LARGE}",
                                   tag="usage", env=env)
        assert words in text
    path = scripted_gdal.folder / "in.vrt"
    path.write_text(VRT % (f"{NAME};{LARGE}", name))
    done = scripted_gdal.run("ogrinfo", "-al", path, ok=None, env=LIMIT)
    assert words in done.stderr
    assert service.calls() == []


@pytest.mark.parametrize("value", ["0", "-5", "nan", "inf", "many", "1,5", "10 km2",
                                   "1e10", "0.00001"])
def test_value_is_a_positive_number(scripted_gdal, service, value):
    text = scripted_gdal.fails("ogrinfo", f"{NAME};{SMALL}", tag="usage",
                               env={"GIQ_MAX_AREA": value})
    assert ("GIQ_MAX_AREA must be a number from 0.0001 to 1000000000; got "
            f'"{value}"') in text
    assert service.calls() == []


@pytest.mark.parametrize("name,unset", [
    ("GIQ_MAX_AREA", "no limit"), ("GIQ_MAX_JOBS", "no limit"),
    ("GIQ_MAX_NEW_JOBS", "the default")])
def test_empty_limit_is_not_taken_for_no_limit(scripted_gdal, service, name, unset):
    text = scripted_gdal.fails("ogrinfo", f"{NAME};{SMALL}", tag="usage", env={name: ""})
    assert (f"{name} is set to an empty value; set it to a number, or unset it for "
            f"{unset}") in text
    assert service.calls() == []


@pytest.mark.parametrize("value", ["200.5", "2.005e2"])
def test_value_has_a_point_in_any_locale(scripted_gdal, service, value):
    script = """
import locale, sys
from osgeo import gdal
locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
assert locale.localeconv()["decimal_point"] == ","
gdal.OpenEx(sys.argv[1])
print(gdal.GetLastErrorMsg())
"""
    locales = scripted_gdal.folder / "locales"
    locales.mkdir()
    scripted_gdal.run("localedef", "-i", "de_DE", "-f", "UTF-8", locales / "de_DE.UTF-8")
    done = scripted_gdal.python(script, f"{NAME};{LARGE}",
                                env={"GIQ_MAX_AREA": value, "LOCPATH": str(locales)})
    assert ("the area has 11226.471673 km2, and GIQ_MAX_AREA allows a new job of at most "
            "200.5 km2; ") in done.stdout
    assert service.calls() == []


def test_service_of_an_address_has_a_limit_of_its_own(scripted_gdal, service):
    path = scripted_gdal.folder / "gdalrc"
    path.write_text(f"[credentials]\n[.giq]\npath={service.url}\nGIQ_MAX_AREA=200\n")
    assert WORDS in refused(scripted_gdal, f"{NAME};{LARGE}",
                            env={"GDAL_CONFIG_FILE": str(path), "GIQ_MAX_AREA": "1e6"})
    assert service.calls() == []


def test_limit_of_one_thread_or_block_stops_jobs_outside_it(scripted_gdal, service):
    script = """
import sys
from osgeo import gdal
gdal.UseExceptions()
small, large = sys.argv[1:]
for value in "200", None:
    gdal.SetThreadLocalConfigOption("GIQ_MAX_AREA", value)
    gdal.OpenEx(small)
    try:
        gdal.OpenEx(large)
    except RuntimeError as error:
        print(error)
gdal.SetConfigOption("GIQ_MAX_AREA", "20000")
gdal.OpenEx(large)
"""
    done = scripted_gdal.python(script, f"{NAME};{SMALL}", f"{NAME};{LARGE}")
    first, second = done.stdout.splitlines()
    assert WORDS in first
    assert second.startswith("GIQ[usage] GIQ_MAX_AREA was set for one thread")
    assert len(service.calls("run")) == 2
