"""The connection string and the options: every mistake is reported before a byte is
sent, and names what is wrong."""

import pytest

from archives import pack_zip
from programs import VERSION
from scripted import GEOJSON, Response, job

MISTAKES = [
    # string, words of the error
    ("GIQ:model=m", "\"file\" is missing"),
    ("GIQ:file=f", "\"model\" is missing"),
    ("GIQ:model=;file=f", "\"model\" has no value"),
    ("GIQ:model=m;file=f;file=g", "\"file\" is given twice"),
    ("GIQ:model=m;fileId=f;file=g", "\"file\" is given twice"),
    ("GIQ:model=m;file=f;colour=red", "unknown key \"colour\""),
    ("GIQ:model=m;file=f/", "ends in '/'"),
    ("GIQ:model=m;file=\"f", "has no closing quote"),
    ("GIQ:model=m;file='f' x", "has text after its quoted value"),
    ("GIQ:model=m;;file=f", "has an empty entry"),
    ("GIQ:job=j;model=m", "\"file\" is missing"),
    ("GIQ:job=j;geometry=POINT(1 1)", "\"model\" is missing"),
    ("GIQ:job=j;rerun=a", "cannot be combined with"),
    ("GIQ:model=m;file=f;wait=maybe", '"wait" must be YES or NO; got "maybe"'),
    ("GIQ:model=m;upload=x.tif/", "\"upload\" must name a file, but ends in '/'"),
    ("GIQ:model=m;upload=x.tif;file=f", "give one of them"),
    ("GIQ:upload=x.tif", "\"model\" is missing"),
    ("GIQ:model=m;file=f;api_key=hunter2", "GIQ_API_KEY"),
    ("GIQ:nonsense", "unknown key \"nonsense\""),
    ("GIQ:model=m;file=f|layername=result", "'|' outside quotes: QGIS appends |layername="),
    ("GIQ:models|layername=models", "'|' outside quotes: QGIS appends |layername="),
    ("GIQ:job=j|option:WAIT=NO", "'|' outside quotes: QGIS appends |layername=, |option:"),
]


@pytest.mark.parametrize("name,words", MISTAKES)
def test_mistake_in_the_string_is_told_before_anything_is_sent(scripted_gdal, service,
                                                               name, words):
    text = scripted_gdal.fails("ogrinfo", name, tag="usage")
    assert words in text
    assert "hunter2" not in text
    assert service.calls() == []


OPTION_MISTAKES = [
    (["-oo", "TIMEOUT=soon"], {},
     'TIMEOUT must be a number from 0 to 2000000; got "soon"'),
    (["-oo", "TIMEOUT=-1"], {},
     'TIMEOUT must be a number from 0 to 2000000; got "-1"'),
    (["-oo", "TIMEOUT=nan"], {},
     'TIMEOUT must be a number from 0 to 2000000; got "nan"'),
    (["-oo", "MAX_RETRY=1e9"], {}, "MAX_RETRY must be a whole number from 0 to 1000; got"),
    (["-oo", "MAX_RETRY=2.5"], {}, "MAX_RETRY must be a whole number from 0 to 1000; got"),
    (["-oo", "POLL_INTERVAL=0"], {}, "POLL_INTERVAL must be a number from 0.05 to 3600"),
    (["-oo", "HTTP_TIMEOUT=0"], {}, "HTTP_TIMEOUT must be a number from 0.001 to 86400"),
    (["-oo", "LOW_SPEED_TIME=0"], {}, "LOW_SPEED_TIME must be a whole number from 1 to"),
    (["-oo", "WAIT=perhaps"], {}, 'WAIT must be YES or NO; got "perhaps"'),
    (["-oo", "SUBMIT=ALWAYS"], {}, 'SUBMIT must be one of IF_MISSING, NO; got "ALWAYS"'),
    (["-oo", "PROGRESS=LOUD"], {}, 'PROGRESS must be one of AUTO, YES, NO; got "LOUD"'),
    (["-oo", "TIMEOUT="], {}, "TIMEOUT has no value"),
    (["-oo", "API_KEY=hunter2"], {}, "configuration option GIQ_API_KEY"),
    (["-oo", "GIQ_API_KEY=hunter2"], {}, "configuration option GIQ_API_KEY"),
    (["-oo", "GIQ_TIMEOUT=5"], {}, "the open option is called TIMEOUT, not GIQ_TIMEOUT"),
    (["-oo", "GIQ_AOI=x"], {}, "the open option is called AOI, not GIQ_AOI"),
    (["-oo", "BASE_URL=http://127.0.0.1:1"], {}, "configuration option GIQ_BASE_URL"),
    (["-oo", "STORE_DIR=/tmp"], {}, "configuration option GIQ_STORE_DIR"),
    (["-oo", "RESULT_DRIVERS=VRT"], {}, "configuration option GIQ_RESULT_DRIVERS"),
    (["-oo", "GEOMETRY_CRS=EPSG:3857"], {},
     'GEOMETRY_CRS must be one of EPSG:4326, AS_IS; got "EPSG:3857"'),
    (["-oo", "SUBMIT=IF_MISSING"], {"GIQ_SUBMIT": "MAYBE"},
     'GIQ_SUBMIT must be one of IF_MISSING, NO; got "MAYBE"'),
    ([], {"GIQ_RESULT_DRIVERS": "GIQ"},
     "GIQ_RESULT_DRIVERS must be names of GDAL drivers other than GIQ, separated by commas, "
     'each optionally after a "+" ("+netCDF"); got "GIQ"'),
    ([], {"GIQ_RESULT_DRIVERS": "+"},
     "GIQ_RESULT_DRIVERS must be names of GDAL drivers other than GIQ, separated by commas, "
     'each optionally after a "+" ("+netCDF"); got "+"'),
    ([], {"GIQ_TIMEOUT": "soon"},
     'GIQ_TIMEOUT must be a number from 0 to 2000000; got "soon"'),
    ([], {"GDAL_HTTP_MAX_RETRY": "many"},
     'GDAL_HTTP_MAX_RETRY must be a whole number from 0 to 1000; got "many"'),
    ([], {"GIQ_BASE_URL": "http://example.org/public"}, "ALLOW_HTTP"),
    ([], {"GIQ_BASE_URL": "https://user:hunter2@example.org/"}, "user"),
    ([], {"GIQ_BASE_URL": "ftp://example.org/"}, "http"),
]


@pytest.mark.parametrize("options,env,words", OPTION_MISTAKES)
def test_mistake_in_an_option_is_told_before_anything_is_sent(scripted_gdal, service,
                                                              options, env, words):
    text = scripted_gdal.fails("ogrinfo", *options, "GIQ:model=m;file=f", tag="usage",
                               env=env)
    assert words in text
    assert "hunter2" not in text
    assert service.calls() == []


def test_label_that_cannot_be_recorded_is_refused(scripted_gdal, service):
    """It would not be found in the record, and make a job at every open."""
    service.script["status"] = [Response(job("FAILED"))]
    scripted_gdal.fails("ogrinfo", "GIQ:model=m;file=f", tag="failed")
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", "GIQ:model=m;file=f", tag="usage",
                                   env={"GIQ_RETRY": "f\udcfcr"})
        assert "RETRY" in text
    assert len(service.calls("run")) == 1


NO_PLACES = [
    # configuration, words of the error; {} is the working folder
    ({"GIQ_STORE_DIR": "~/giq"},
     'GIQ_STORE_DIR must be an absolute path without "~"; got "~/giq" '
     "(earlier versions recorded jobs for this value in {}/~/giq)"),
    ({"GIQ_STORE_DIR": "giq"},
     'got "giq" (earlier versions recorded jobs for this value in {}/giq)'),
    ({"GIQ_STORE_DIR": "./giq"}, 'got "./giq"'),
    ({"GIQ_STORE_DIR": "$HOME/giq"}, 'got "$HOME/giq"'),
    ({"GIQ_STORE_DIR": "/vsimem/giq"}, "GIQ_STORE_DIR must be a folder on disk, not in a "
                                       'virtual file system of GDAL; got "/vsimem/giq"'),
    ({"GIQ_STORE_DIR": "/vsizip/a.zip/giq"}, "GIQ_STORE_DIR must be a folder on disk"),
    ({"GIQ_STORE_DIR": "", "XDG_DATA_HOME": "share"},
     'XDG_DATA_HOME must be an absolute path without "~"; got "share" '
     "(earlier versions recorded jobs for this value in {}/.local/share/giq)"),
    ({"GIQ_STORE_DIR": "", "XDG_DATA_HOME": "/vsimem/x"}, "XDG_DATA_HOME must be a folder"),
    ({"GIQ_STORE_DIR": "", "XDG_DATA_HOME": "", "HOME": "~"},
     "HOME must be an absolute path"),
    ({"GIQ_STORE_DIR": "", "XDG_DATA_HOME": "", "HOME": "/vsimem"},
     "HOME must be a folder on disk"),
]


@pytest.mark.parametrize("env,words", NO_PLACES)
def test_store_that_is_not_one_place_is_refused_before_anything_is_sent(
        scripted_gdal, service, env, words):
    """Such a store was another one in each working folder, with other paid jobs."""
    before = set(scripted_gdal.folder.rglob("*"))
    for name in ("GIQ:model=m;file=f", "GIQ:job=j", "GIQ:jobs"):
        text = scripted_gdal.fails("ogrinfo", name, tag="usage", env=env)
        assert words.format(scripted_gdal.folder) in text, text
    assert service.calls() == []
    assert set(scripted_gdal.folder.rglob("*")) == before


@pytest.mark.parametrize("env,words", [
    ({"XDG_DATA_HOME": "share", "HOME": ""}, 'XDG_DATA_HOME {} got "share"'),
    ({"XDG_DATA_HOME": "share", "HOME": "~"}, 'XDG_DATA_HOME {} got "share"'),
    ({"XDG_DATA_HOME": "", "HOME": "~"}, 'HOME {} got "~"'),
])
def test_no_folder_of_earlier_versions_is_named_if_they_refused_the_value_too(
        scripted_gdal, service, env, words):
    text = scripted_gdal.fails("ogrinfo", "GIQ:model=m;file=f", tag="usage",
                               env={"GIQ_STORE_DIR": "", **env})
    assert text.endswith(
        "GIQ[usage] " + words.format('must be an absolute path without "~";'))
    assert service.calls() == []


@pytest.mark.skipif(VERSION < (3, 11), reason="this GDAL knows of no such options")
def test_configuration_options_are_known_to_gdal(scripted_gdal, service):
    """While it debugs, GDAL warns of options that nobody declared; those of a command
    line are set before the plugin is there."""
    done = scripted_gdal.python("""
from osgeo import gdal
gdal.DontUseExceptions()
gdal.SetConfigOption("CPL_DEBUG", "ON")
gdal.SetConfigOption("GIQ_NONE_OF_OURS", "60")
gdal.SetConfigOption("GIQ_TIMEOUT", "60")
gdal.SetConfigOption("GIQ_API_KEY_FILE", "x")
""")
    assert done.stderr.count("Unknown configuration option") == 1
    assert "GIQ_NONE_OF_OURS" in done.stderr


WRITINGS = [
    "GIQ:model=m;file=f",
    "giq:MODEL=m;FILE=f;",
    "GIQ: model = m ; file = f ;",
    "GIQ:modelId=m;fileId=f",
    "GIQ:file='f';model=\"m\"",
]


def test_ways_to_write_a_string_are_one_request(scripted_gdal, service):
    for name in WRITINGS:
        scripted_gdal.run("ogrinfo", "-so", "-al", name)
    assert len(service.calls("run")) == 1


AROUND_ARCHIVES = [
    "GIQ:model=m;file=s.tar.gz",
    "GIQ:model=m;file=s.tar.gz/",
    "GIQ:model=m;file=s.tar/.gz",
    "/vsitar/GIQ:model=m;file=s.tar.gz",
    "/vsitar/GIQ:model=m;file=s.tar/.gz",
    "/vsitar/GIQ:model=m;file='s.tar/.gz'",
    "/vsitar//vsitar/giq:model=m;file=s.tar.gz/",
    "/vsigzip/GIQ:model=m;file=s.tar.gz",
    "/vsizip/GIQ:file=s.tar.gz/;model=m",
]


def test_what_programs_add_to_the_name_of_an_archive_is_the_same_request(scripted_gdal,
                                                                         service):
    """QGIS, GeoPandas and pyogrio take a string that ends in .zip for an archive."""
    for name in AROUND_ARCHIVES:
        done = scripted_gdal.run("ogrinfo", "-al", name)
        assert "name (String) = one" in done.stdout
    assert len(service.calls("run")) == 1
    assert b"\r\ns.tar.gz\r\n" in service.calls("run")[0]["body"]
    assert len(scripted_gdal.records()) == 1


@pytest.mark.parametrize("file_id", ["area.zip/.scene.v2", "s.tar/mac", "a.zip/.b/c"])
def test_slash_of_a_file_id_stays_in_quotes_and_is_an_error_outside(scripted_gdal,
                                                                    service, file_id):
    text = scripted_gdal.fails("ogrinfo", f"GIQ:model=m;file={file_id}", tag="usage")
    assert "put the value in quotes" in text
    assert service.calls() == []
    scripted_gdal.run("ogrinfo", "-al", f"GIQ:model=m;file='{file_id}'")
    [run] = service.calls("run")
    assert f"\r\n{file_id}\r\n".encode() in run["body"]


def test_upload_below_a_folder_that_is_named_like_an_archive(scripted_gdal, service):
    path = scripted_gdal.folder / "x.tar" / ".snap" / "f.tif"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"the file that is meant")
    scripted_gdal.run("ogrinfo", "-al", f"GIQ:model=m;upload={path}")
    [upload] = service.calls("upload")
    assert b"the file that is meant" in upload["body"]
    assert len(service.calls("run")) == 1


def test_archives_of_others_are_left_to_gdal(scripted_gdal, service):
    path = scripted_gdal.folder / "GIQ.zip"
    path.write_bytes(pack_zip({"a.geojson": GEOJSON}))
    for name in ("/vsizip/GIQ.zip", f"/vsizip/{path}", f"/vsizip/{path}/a.geojson"):
        assert "name (String) = one" in scripted_gdal.run("ogrinfo", "-al", name).stdout
    assert "GIQ[" not in scripted_gdal.run("ogrinfo", "/vsizip/none.zip", ok=None).stderr
    assert service.calls() == []


def test_quoted_values_reach_the_service_as_meant(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", "GIQ:model=m;file=\"a;b \"\"c\"\" 'd'\"")
    assert b"\r\na;b \"c\" 'd'\r\n" in service.calls("run")[0]["body"]


def test_area_or_wait_given_twice_is_an_error(scripted_gdal, service):
    ring = "POLYGON((0 0,0 1,1 1,0 0))"
    text = scripted_gdal.fails("ogrinfo", "-oo", f"GEOMETRY={ring}",
                               f"GIQ:model=m;file=f;geometry={ring}", tag="usage")
    assert "geometry" in text
    text = scripted_gdal.fails("ogrinfo", "-oo", "WAIT=NO", "GIQ:model=m;file=f;wait=no",
                               tag="usage")
    assert "wait" in text
    assert service.calls() == []


def test_open_option_wins_over_configuration(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", "-oo", "TIMEOUT=60", "GIQ:model=m;file=f",
                      env={"GIQ_TIMEOUT": "soon"})
    assert len(service.calls("run")) == 1


def test_open_option_cannot_lift_submit_no(scripted_gdal, service):
    text = scripted_gdal.fails("ogrinfo", "-oo", "SUBMIT=IF_MISSING",
                               "GIQ:model=m;file=f", tag="usage",
                               env={"GIQ_SUBMIT": "NO"})
    assert "SUBMIT=NO" in text
    assert service.calls() == []


def test_driver_lists_what_is_true(scripted_gdal):
    text = scripted_gdal.run("ogrinfo", "--format", "GIQ").stdout
    for name in ("GEOMETRY", "WAIT", "TIMEOUT", "SUBMIT", "RETRY", "PROGRESS",
                 "RESULT_OPTIONS", "AOI", "BBOX", "GEOMETRY_CRS", "SOURCE_TYPE"):
        assert f'name="{name}"' in text
    for name in ("API_KEY", "BASE_URL", "STORE_DIR", "RESULT_DRIVERS"):
        assert f'name="{name}"' not in text
    assert "Connection prefix: GIQ:" in text
    assert "Supports: Raster" in text and "Supports: Vector" in text
