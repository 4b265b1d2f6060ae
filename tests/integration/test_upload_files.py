"""What can be uploaded: plain files, also those within GDAL's virtual file systems. The
rest is reported before any request."""
import gzip
import os
import socket

import pytest

from archives import pack_zip
import secret_search
from programs import DATA, SCENE
from scripted import Response

ROWS = b"id,name\n" + b"".join(b"%d,row\n" % i for i in range(1000))


def touch(gdal, *names):
    for name in names:
        (gdal.folder / name).write_bytes(b"bytes")


def make_folder(gdal):
    (gdal.folder / "data.gdb").mkdir()


def make_pipe(gdal):
    os.mkfifo(gdal.folder / "pipe")


def make_socket(gdal):
    # The path of a socket is short, so it is bound by the descriptor of its folder.
    folder = os.open(gdal.folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{folder}/sock")
    os.close(folder)


def make_large(gdal):
    with open(secret_search.is_input(gdal.folder / "large.tif"), "wb") as file:
        file.truncate(100000001)


def make_zip(gdal):
    (gdal.folder / "a.zip").write_bytes(pack_zip({"in/table.csv": ROWS, "in/other.csv": ROWS}))


MISTAKES = [
    (None, "nothing.tif", "cannot be found: nothing.tif"),
    (None, "/vsizip/nothing.zip/a.tif", "cannot be found"),
    (None, "nothing.shp", "cannot be found"),
    (lambda gdal: (gdal.folder / "empty.tif").write_bytes(b""), "empty.tif", "is empty"),
    (make_folder, "data.gdb", "is a folder; zip it"),
    (make_zip, "/vsizip/a.zip", "is a folder; zip it"),
    (make_pipe, "pipe", "is not a regular file"),
    (make_socket, "sock", "is not a regular file"),
    (None, "/dev/zero", "is not a regular file"),
    (None, "/vsistdin/", "ends in '/'"),
    (None, "/vsistdin", "is not a regular file"),
    (make_large, "large.tif", "100000001 bytes; an upload may have 100000000 bytes at most"),
    (make_large, "large.tif", "file=<id>"),
    (lambda gdal: touch(gdal, "a.shp"), "a.shp", "a Shapefile; zip them all"),
    (lambda gdal: touch(gdal, "a.SHX"), "a.SHX", "a Shapefile; zip them all"),
    (lambda gdal: touch(gdal, "a.dbf", "a.shp"), "a.dbf", "a Shapefile; zip them all"),
    (lambda gdal: touch(gdal, "A.DBF", "A.SHP"), "A.DBF", "a Shapefile; zip them all"),
    (lambda gdal: touch(gdal, "a.tab"), "a.tab", "a MapInfo table; zip them all"),
    (lambda gdal: touch(gdal, "a.dat", "a.tab"), "a.dat", "a MapInfo table"),
    (lambda gdal: touch(gdal, "a.mif"), "a.mif", "a MapInfo interchange file"),
    (lambda gdal: touch(gdal, "a.mid", "a.mif"), "a.mid", "a MapInfo interchange file"),
    (lambda gdal: touch(gdal, "a.hdr"), "a.hdr", "a raster with a header file"),
    (lambda gdal: touch(gdal, "a.img", "a.hdr"), "a.img", "a raster with a header file"),
    (lambda gdal: touch(gdal, "a.bsq", "a.bsq.hdr"), "a.bsq", "with a header file"),
    (lambda gdal: touch(gdal, "a", "a.hdr"), "a", "a raster with a header file"),
]


@pytest.mark.parametrize("make,name,words", MISTAKES)
def test_file_that_cannot_be_uploaded_is_refused_before_any_request(scripted_gdal, service, make,
                                                            name, words):
    if make is not None:
        make(scripted_gdal)
    text = scripted_gdal.fails("ogrinfo", f"GIQ:model=m;upload={name}", tag="usage")
    assert words in text
    assert service.calls() == [] and scripted_gdal.records() == {}


def test_file_that_may_not_be_read_is_told(scripted_gdal, service):
    """Needs root, to be another user."""
    touch(scripted_gdal, "a.tif")
    (scripted_gdal.folder / "a.tif").chmod(0)
    command = scripted_gdal.as_user(2001, "ogrinfo", "GIQ:model=m;upload=a.tif")
    text = scripted_gdal.fails(*command, tag="usage")
    assert "cannot be opened: a.tif" in text
    assert service.calls() == []


@pytest.mark.parametrize("names,upload", [
    (["a.dbf"], "a.dbf"), (["a.img"], "a.img"), (["a.dat"], "a.dat"), (["a"], "a"),
    (["a.tif", "a.hdr"], "a.tif"), (["a.tif", "a.shp"], "a.tif"),
])
def test_file_that_stands_alone_is_uploaded(scripted_gdal, service, names, upload):
    touch(scripted_gdal, *names)
    scripted_gdal.run("ogrinfo", f"GIQ:model=m;upload={upload}")
    assert b"\r\n\r\nbytes\r\n--" in service.calls("upload")[0]["body"]


def test_name_is_cleaned_and_bytes_are_not(scripted_gdal, service):
    name = "b\\we\"ird: ;n\u00e4me?.csv"
    (scripted_gdal.folder / name).write_bytes(bytes(range(256)) * 5)
    quoted = name.replace("'", "''")
    scripted_gdal.run("ogrinfo", f"GIQ:model=m;upload='{quoted}'")
    [call] = service.calls("upload")
    assert 'filename="we_ird_ ;n\u00e4me_.csv"'.encode() in call["body"]
    assert bytes(range(256)) * 5 in call["body"]


def test_files_within_archives_are_read(scripted_gdal, service):
    make_zip(scripted_gdal)
    with gzip.open(scripted_gdal.folder / "table.csv.gz", "wb") as file:
        file.write(ROWS)
    for path in ("/vsizip/a.zip/in/table.csv", "/vsizip/{a.zip}/in/table.csv",
                 "/vsigzip/table.csv.gz", f"/vsisubfile/0_{len(ROWS)},table.csv"):
        (scripted_gdal.folder / "table.csv").write_bytes(ROWS)
        scripted_gdal.run("ogrinfo", f"GIQ:model=m;upload={path}")
    [call] = service.calls("upload")
    assert b"\r\n\r\n" + ROWS + b"\r\n--" in call["body"]
    assert b'filename="table.csv"' in call["body"]
    assert len(service.calls("run")) == 1


def test_file_in_memory_is_uploaded(scripted_gdal, service):
    scripted_gdal.python("""
import sys
from osgeo import gdal
gdal.UseExceptions()
for text in (b"first", b"other", b"first"):
    gdal.FileFromMemBuffer("/vsimem/a.csv", text)
    gdal.OpenEx("GIQ:model=m;upload=/vsimem/a.csv")
""")
    assert len(service.calls("upload")) == len(service.calls("run")) == 2


@pytest.mark.parametrize("secret", ["?signature=s3cret", "#token=s3cret"])
def test_address_in_a_path_keeps_its_secrets(scripted_gdal, service, secret):
    service.script["far.csv"] = [Response(ROWS)]
    path = f"/vsicurl/http://me:p4ss@127.0.0.1:{service.port}/far.csv{secret}"
    done = scripted_gdal.run("ogrinfo", "-al", f"GIQ:model=m;upload={path};wait=no",
                             env={"CPL_VSIL_CURL_USE_HEAD": "NO"})
    assert f"upload (String) = /vsicurl/http://127.0.0.1:{service.port}/far.csv\n" in \
        done.stdout
    [call] = service.calls("upload")
    assert ROWS in call["body"] and b'filename="far.csv"' in call["body"]
    kept = {path.name: path.read_bytes() for path in scripted_gdal.store.rglob("*")
            if path.is_file()}
    assert {"job.json", "request.json"} <= set(kept)
    assert [name for name, data in kept.items() if b"s3cret" in data or b"p4ss" in data] == []


def test_words_of_gdal_about_an_address_are_not_shown(scripted_gdal, service):
    """GDAL warns of each retry, with all of the address."""
    service.script["far.csv"] = [Response(b"", 503), Response(ROWS)]
    script = """
import sys
from osgeo import gdal
gdal.DontUseExceptions()
print(gdal.OpenEx("GIQ:model=m;wait=no;upload=/vsicurl/http://127.0.0.1:%s/far.csv"
                  "?signature=s3cret" % sys.argv[1], gdal.OF_VECTOR) is not None)
"""
    done = scripted_gdal.python(script, str(service.port), env={
        "CPL_VSIL_CURL_USE_HEAD": "NO", "GDAL_HTTP_MAX_RETRY": "3",
        "GDAL_HTTP_RETRY_DELAY": "0.01"})
    assert service.names().count("far.csv") > 1
    assert done.stdout == "True\n" and done.stderr == ""


def test_file_that_is_damaged_is_one_error(scripted_gdal, service):
    packed = gzip.compress(os.urandom(300000))
    (scripted_gdal.folder / "broken.gz").write_bytes(packed[:200000] + b"x" * 100000)
    done = scripted_gdal.run("ogrinfo", "GIQ:model=m;upload=/vsigzip/broken.gz", ok=None)
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert len(errors) == 1 and "damaged or cannot be read" in errors[0], done.stderr
    assert service.calls("run") == []


SECRETS = ("me", "p4", "ss", "s1gn")


@pytest.mark.parametrize("options", [
    ["GIQ:model=m;upload={}"], ["GIQ:model=m;file=f", "-oo", "GEOMETRY=@{}"],
    ["GIQ:model=m;file=f", "-oo", "AOI={}"]])
@pytest.mark.parametrize("path", [
    "http://me:p4@ss@127.0.0.1:{}/far.tif?signature=s1gn", "https://far/a.tif?signature=s1gn",
    "/vsicurl/http://me:p4@ss@127.0.0.1:{}/far.wkt?signature=s1gn",
    "/vsizip//vsicurl/http://127.0.0.1:{}/a.zip/b.csv?signature=s1gn",
    "https://far/a.tif?signature=x@s1gn", "https://me:p4?ss@far/a.tif",
    "https://far/a.tif#token=s1gn", "https://far/a.tif#s1gn", "https://far/a.tif#token=x@s1gn",
    "https://me:p4#ss@far/a.tif"])
def test_address_that_leads_nowhere_keeps_its_secrets(scripted_gdal, service, options, path):
    service.script["far.wkt"] = [Response(status=404)]
    path = path.format(service.port)
    text = scripted_gdal.fails("ogrinfo", *[word.format(path) for word in options])
    assert not [secret for secret in SECRETS if secret in text.replace("message", "")], text
    assert service.calls("run") == []


def test_links_are_followed(scripted_gdal, service):
    os.symlink(DATA / SCENE, scripted_gdal.folder / "link.tif")
    scripted_gdal.run("ogrinfo", "GIQ:model=m;upload=link.tif")
    assert (DATA / SCENE).read_bytes() in service.calls("upload")[0]["body"]


def test_path_that_is_cut_within_a_secret_shows_none_of_it(scripted_gdal):
    script = """
import os
from osgeo import gdal
assert gdal.OpenEx("GIQ:model=m;upload=/" + os.environ["GIQ_API_KEY"]) is None
print(gdal.GetLastErrorMsg())
"""
    done = scripted_gdal.python(script, env={"GIQ_API_KEY": "k" + "3f9d" * 60})
    assert "cannot be found: /****" in done.stdout
