"""The recipe for many requests: right files, each paid once, whatever ends it."""
import os
import re
import signal
import threading

import pytest

from areas import points, write
from conftest import AREA, DATA, SCENE
from datasets import features, pixels
from scripted import Response, job

BATCH = DATA / "batch.sh"


def write_list(gdal, *rows, end="\n"):
    """A list of requests; the name of its file has a space in it."""
    text = "\n".join("\t".join(row) for row in rows) + end
    (gdal.folder / "my list.tsv").write_text(text)


def batch(gdal, *more, ok=True, env=None):
    return gdal.run("sh", BATCH, "my list.tsv", "my results", *more, ok=ok, env=env)


def outputs(gdal):
    return sorted(path.name for path in (gdal.folder / "my results").iterdir()
                  if path.name != ".lock")


# ---- on the sandbox ----

ROWS = [("the coast.gpkg", "water", SCENE, f"GEOMETRY={AREA}"),
        ("ndvi.tif", "ndvi", SCENE),
        ("all contours.geojson", "contours", SCENE)]


def test_files_are_what_the_jobs_gave_and_a_second_run_asks_nobody(client):
    write_list(client, *ROWS)
    done = batch(client)
    assert sorted(done.stdout.splitlines()) == sorted(f"done: {row[0]}" for row in ROWS)
    assert outputs(client) == sorted(row[0] for row in ROWS)
    for name, read, model in zip((row[0] for row in ROWS), (features, pixels, features),
                                 ("water", "ndvi", "contours")):
        path = f"my results/{name}"
        assert read(client, path) == read(client, client.local(model)), name
    calls = client.calls()
    assert batch(client).stdout == ""
    (client.folder / "my results" / "ndvi.tif").unlink()
    assert batch(client).stdout == "done: ndvi.tif\n"
    assert client.calls() == calls and len(client.paid()) == 3


def test_dataset_of_several_files_comes_whole(client):
    write_list(client, ("coast.shp", "water", SCENE, f"GEOMETRY={AREA}"))
    assert batch(client).stdout == "done: coast.shp\n"
    assert {"coast.shp", "coast.shx", "coast.dbf", "coast.prj"} <= set(outputs(client))
    assert features(client, "my results/coast.shp")
    assert batch(client).stdout == "" and len(client.paid()) == 1


def test_recipe_of_the_readme(client):
    readme = (DATA.parent / "README.md").read_text()
    [recipe] = [block for block in readme.split("```")[1::2] if "batch.sh" in block]
    (client.folder / "data").symlink_to(DATA)
    for _ in range(2):
        client.run("sh", "-e", "-c", recipe)
        assert len(client.paid()) == 3
    client.run("ogrinfo", "-so", "-al", "results/coast of Olinda.gpkg")
    client.run("gdalinfo", "results/vegetation.tif")
    client.run("ogrinfo", "-so", "-al", "results/hulls.geojson")


@pytest.mark.parametrize("area", ["GEOMETRY=@my area.wkt", "AOI=my area.gpkg,the area",
                                  "BBOX=-34.89,-8.03,-34.84,-7.99"])
def test_area_in_each_of_its_forms_is_sent(client, area):
    (client.folder / "my area.wkt").write_text(AREA)
    write(client.folder / "my area.gpkg", "EPSG:4326", AREA, layer="the area")
    write_list(client, ("all.gpkg", "water", SCENE), ("part.gpkg", "water", SCENE, area))
    batch(client, "1")
    whole, part = [run["form"].get("geometry") for run in client.paid()]
    assert whole is None and sorted(set(points(part))) == sorted(set(points(AREA)))
    sizes = [len(features(client, f"my results/{name}")) for name in outputs(client)]
    assert sizes[0] > sizes[1]


def test_local_files_are_uploaded_once_for_all_rows(client):
    scene = client.folder / 'my; "scene".tif'
    scene.write_bytes((DATA / SCENE).read_bytes())
    write_list(client, ("ndvi.tif", "ndvi", f"upload={scene.name}"),
               ("water.gpkg", "water", f"upload={scene}", f"GEOMETRY={AREA}"),
               ("hulls.geojson", "hulls", f"upload={DATA / 'parcels.geojson'}"))
    for _ in range(2):
        batch(client)
        assert len(client.paid()) == 3 and client.calls().count("upload") == 2
    assert outputs(client) == ["hulls.geojson", "ndvi.tif", "water.gpkg"]
    assert pixels(client, "my results/ndvi.tif") == pixels(client, client.local("ndvi"))


def test_local_file_that_is_not_there_is_listed_and_costs_nothing(client):
    write_list(client, ("a.tif", "ndvi", "upload=nothing.tif"), ("b.tif", "ndvi", "upload="))
    done = batch(client, ok=False)
    for name in ("a.tif", "b.tif"):
        assert f"{name}: ERROR 5: GIQ[usage]" in done.stderr
    assert client.calls() == []


@pytest.mark.parametrize("row", [("a.tif", "ndvi"), ("", "ndvi", SCENE), ("a.tif", "", SCENE),
                                 ("a.tif", "ndvi", "", "BBOX=-35,-9,-34,-8"),
                                 ("../a.tif", "ndvi", SCENE), (".a.tif", "ndvi", SCENE)])
def test_row_that_lacks_a_column_starts_nothing(client, row):
    write_list(client, ROWS[0], row)
    assert "separated by tabs" in batch(client, ok=False).stderr
    assert client.calls() == []


# ---- on a service whose responses are written down ----

def file_of(call):
    """The fileId of a run request."""
    return re.search(rb'name="fileId"\r\n\r\n(.*?)\r\n', call["body"]).group(1).decode()


class Jobs:
    """A job for each file, which goes on for as long as it is held."""

    def __init__(self, service):
        self.service = service
        self.held = set()
        self.asked = set()
        self.changed = threading.Condition()
        service.script["run"] = [lambda call: self.run(file_of(call))]
        service.script["status"] = [
            lambda call: self.status(call["query"]["inferenceId"])]

    def run(self, file):
        return Response(job("SUBMITTED", id=file))

    def status(self, file):
        with self.changed:
            self.asked.add(file)
            self.changed.notify_all()
            return Response(job("RUNNING" if file in self.held else "DONE", id=file))

    def wait_until_asked(self, count):
        """Until the status of so many of the held was asked for."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: len(self.asked & self.held) >= count, 60)

    def paid(self):
        """How many run requests there were for each file."""
        files = [file_of(call) for call in self.service.calls("run")]
        return {file: files.count(file) for file in set(files)}


@pytest.fixture
def jobs(service):
    return Jobs(service)


def start(gdal, *more, env=None):
    return gdal.start("sh", BATCH, "my list.tsv", "my results", *more, env=env,
                      start_new_session=True)


def end_all(gdal, process, number):
    """Kill the whole group; the last of it leaves the lock of the folder."""
    os.killpg(process.pid, number)
    gdal.finish(process)
    gdal.run("flock", "my results/.lock", "true")


SIX = [(f"out {i}.geojson", "m", f"f{i}") for i in range(6)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_killed_while_jobs_run_and_run_again_pays_each_once(scripted_client, jobs,
                                                            number):
    write_list(scripted_client, *SIX)
    jobs.held = {"f2", "f3", "f4", "f5"}
    process = start(scripted_client, "2")
    jobs.wait_until_asked(2)
    end_all(scripted_client, process, number)
    assert process.returncode == -number
    assert jobs.paid() == {f"f{i}": 1 for i in range(4)}
    assert [name for name in outputs(scripted_client) if name[0] != "."] == [
        "out 0.geojson", "out 1.geojson"]
    jobs.held = set()
    batch(scripted_client)
    assert jobs.paid() == {f"f{i}": 1 for i in range(6)}
    assert outputs(scripted_client) == [row[0] for row in SIX]
    calls = len(jobs.service.calls())
    batch(scripted_client)
    assert len(jobs.service.calls()) == calls


def test_killed_before_the_response_is_not_paid_again_and_is_listed(scripted_client, jobs):
    write_list(scripted_client, *SIX)
    asked, ended = threading.Event(), threading.Event()

    def hold(call):
        if file_of(call) == "f2":
            asked.set()
            ended.wait(60)
        return Response(job("SUBMITTED", id=file_of(call)))
    jobs.service.script["run"] = [hold]
    process = start(scripted_client, "1")
    assert asked.wait(60)
    end_all(scripted_client, process, signal.SIGKILL)
    ended.set()
    done = batch(scripted_client, ok=False)
    assert done.stderr.splitlines()[1] == "not done:"
    assert "out 2.geojson: ERROR 1: GIQ[unknown]" in done.stderr
    assert jobs.paid() == {f"f{i}": 1 for i in range(6)}


def test_failures_are_listed_with_their_words_and_all_else_is_done(scripted_client,
                                                                   jobs):
    write_list(scripted_client, ("wrong model.tif", "n", "f0"), *SIX[1:],
               ("wrong area.gpkg", "m", "f7", "GEOMETRY=POLYGON((1"),
               ("no folder.gpkg.nothing", "m", "f8"))
    jobs.service.script["status"] = [
        lambda call: Response(job("FAILED" if call["query"]["inferenceId"] == "f1"
                                else "DONE", id=call["query"]["inferenceId"],
                                message="too cloudy"))]
    for _ in range(2):
        done = batch(scripted_client, ok=False)
        assert done.returncode == 1
        listed = done.stderr.split("not done:\n")[1].splitlines()
        words = ["wrong model.tif: ERROR 5: GIQ[usage]",
                 "out 1.geojson: ERROR 1: GIQ[failed]",
                 "wrong area.gpkg: ERROR 5: GIQ[area]", "no folder.gpkg.nothing: "]
        assert len(listed) >= len(words)
        assert all(any(line.startswith(word) for line in listed) for word in words), listed
        assert "too cloudy" in done.stderr
    assert jobs.paid() == {f"f{i}": 1 for i in (1, 2, 3, 4, 5, 8)}
    jobs.service.script["status"] = [
        lambda call: Response(job("DONE", id=call["query"]["inferenceId"]))]
    batch(scripted_client, ok=False, env={"GIQ_RETRY": "monday"})
    assert jobs.paid()["f1"] == 2 and "out 1.geojson" in outputs(scripted_client)


def test_killed_while_it_writes_leaves_nothing_that_counts(scripted_client, jobs):
    """An ogr2ogr that writes half a file, and then all are killed."""
    write_list(scripted_client, SIX[0])
    program = scripted_client.folder / "bin" / "ogr2ogr"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "{" >"$1"\nkill -9 0\n')
    program.chmod(0o755)
    path = f"{program.parent}:{scripted_client.env['PATH']}"
    process = start(scripted_client, env={"PATH": path})
    assert scripted_client.finish(process).returncode == -signal.SIGKILL
    scripted_client.run("flock", "my results/.lock", "true")
    assert list((scripted_client.folder / "my results").rglob("*.geojson")) != []
    batch(scripted_client)
    done = scripted_client.run("ogrinfo", "-al", "my results/out 0.geojson")
    assert "name (String) = one" in done.stdout
    assert outputs(scripted_client) == ["out 0.geojson"]
    assert jobs.paid() == {"f0": 1}


def test_two_batches_in_one_folder_exclude_each_other(scripted_client, jobs):
    write_list(scripted_client, *SIX)
    jobs.held = {"f0"}
    process = start(scripted_client, "1")
    jobs.wait_until_asked(1)
    done = batch(scripted_client, ok=False)
    assert done.returncode == 2 and "another batch" in done.stderr
    end_all(scripted_client, process, signal.SIGTERM)
    jobs.held = set()
    batch(scripted_client)
    assert jobs.paid() == {f"f{i}": 1 for i in range(6)}


@pytest.mark.parametrize("row", [
    ("a.gpkg",), ("a.gpkg", "m"), ("b.gpkg", "m", "f"), ("x/a.gpkg", "m", "f"),
    (".a.gpkg", "m", "f"), ("a.gpkg", "m", "f", "BBOX=1,2,3,4", "more")])
def test_list_that_is_wrong_costs_nothing(scripted_client, service, row):
    write_list(scripted_client, ("b.gpkg", "m", "f"), row)
    done = batch(scripted_client, ok=False)
    assert done.returncode == 2 and row[0] in done.stderr
    assert service.calls() == []


def test_lists_of_other_editors_are_read(scripted_client, jobs):
    """Lines that end in CR LF, a last one without an end, remarks, and odd names."""
    odd = 'f; "q" \\n $HOME \'x\''
    (scripted_client.folder / "my area.wkt").write_text(AREA)
    write_list(scripted_client, ("# remark",), ("",),
               ("a $HOME.geojson", "m", "f0", "GEOMETRY=@my area.wkt\r"),
               ("b.geojson", "m", odd), end="")
    batch(scripted_client)
    assert outputs(scripted_client) == ["a $HOME.geojson", "b.geojson"]
    assert jobs.paid() == {"f0": 1, odd: 1}
