"""giq:fetch, giq:jobs, giq:files, giq:models and giq:batch of the QGIS plugin."""
import json

import pytest
from osgeo import ogr

import plugin_kit
from areas import write
from conftest import SCENE
from plugin_kit import qgis_process, results, script
from scripted import Response, done, job


NAME = "olinda_landsat7"  # of the scene in the list of files


def rows(path):
    """The features of the only layer, as dictionaries."""
    dataset = ogr.Open(str(path))
    assert dataset.GetLayerCount() == 1
    layer = dataset.GetLayer(0)
    return [{**feature.items(), "geometry": feature.geometry() and
             feature.geometry().ExportToWkt()} for feature in layer]


FETCH = """
found = run("fetch", JOB=sys.argv[1])
tell([found["JOB"], found["SOURCE"], found["VECTOR"].isValid(),
      found["VECTOR"].customProperty("giq/job")])
tell(run("fetch", JOB=sys.argv[1], LOAD=False))
"""


@pytest.mark.parametrize("text", ["{}", "GIQ:job={}", "GIQ:job={}|layername=water"])
def test_fetch_waits_and_downloads_and_starts_nothing(client, text):
    client.run("ogrinfo", f"GIQ:model=water;file={SCENE};wait=no")
    [run] = client.paid()
    found = script(client, FETCH, text.format(run["job"]), env={"GIQ_SUBMIT": "NO"})
    source = f"GIQ:job={run['job']}"
    assert found == [[run["job"], source, True, run["job"]],
                     {"JOB": run["job"], "SOURCE": source}]
    assert len(client.paid()) == 1 and client.calls()[-1] == "download"


UNKNOWN = """
tell(fails("fetch", JOB="nowhere"))
"""


def test_fetch_of_an_unknown_job_is_an_error(client):
    [text] = script(client, UNKNOWN)
    assert text.startswith("GIQ[gone]") and "nowhere" in text and client.paid() == []


def test_tables_in_qgis_process(client):
    plugin_kit.enable(client)
    for name in ("models", "files", "jobs"):
        qgis_process(client, f"giq:{name}", f"OUTPUT={name}.gpkg")
    assert client.paid() == []
    models = {row["id"] for row in rows(client.folder / "models.gpkg")}
    assert {"water", "ndvi", "hulls"} <= models
    [scene] = [row for row in rows(client.folder / "files.gpkg") if row["name"] == NAME]
    assert scene["geometry"].startswith("MULTIPOLYGON (((") and scene["file_id"] != ""
    assert rows(client.folder / "jobs.gpkg") == []


FILES = """
for extent in sys.argv[1:]:
    found = run("files", EXTENT=extent, LIMIT=5, OUTPUT="memory:")["OUTPUT"]
    tell(sorted(feature["name"] for feature in found.getFeatures()))
"""


def test_files_within_an_extent(client):
    near, far, projected = script(client, FILES, "-34.89,-34.84,-8.03,-7.99 [EPSG:4326]",
                                  "10,11,50,51 [EPSG:4326]",
                                  "290000,292000,9112000,9114000 [EPSG:32725]")
    assert near == projected == [NAME, "parcels"] and far == []


MODELS = """
found = run("models", OUTPUT="memory:")["OUTPUT"]
tell({field.name(): field.typeName() for field in found.fields()})
tell(sorted([feature["id"], feature["labels"]] for feature in found.getFeatures()))
"""


def test_labels_of_models_are_text_in_any_layer(scripted_client, service):
    """A list would be a map, which not every layer of QGIS can hold."""
    service.script["models"] = [Response([{"id": "a", "labels": ["x", "y"]}, {"id": "b"}])]
    types, found = script(scripted_client, MODELS)
    assert set(types.values()) == {"string"}
    assert found == [["a", "(2:x,y)"], ["b", None]]


JOBS = """
found = run("jobs", OUTPUT="memory:")["OUTPUT"]
tell(sorted([feature["job_id"], feature["state"]] for feature in found.getFeatures()))
"""


def test_jobs_looks_once_at_each_unfinished_one(scripted_client, service):
    ids = ("job-1", "job-2")
    service.script["run"] = [Response(job("SUBMITTED", id=name)) for name in ids]
    service.script["status"] = [lambda seen: Response(
        job("RUNNING", id=seen["query"]["inferenceId"]))]
    for name in ids:
        scripted_client.run("ogrinfo", f"GIQ:model=m;file={name};wait=no")

    def state(seen):
        is_done = seen["query"]["inferenceId"] == "job-1"
        return done(seen) if is_done else Response(job("RUNNING", id="job-2"))
    service.script["status"] = [state]
    before = len(service.calls("status"))
    [found] = script(scripted_client, JOBS)
    assert found == [["job-1", "succeeded"], ["job-2", "submitted"]]
    assert len(service.calls("status")) == before + 2 and len(service.calls("run")) == 2
    [found] = script(scripted_client, JOBS)
    assert len(service.calls("status")) == before + 3 and service.calls("download") == []


BATCH = """
parameters = json.loads(sys.argv[1])
said = []


class Feedback(QgsProcessingFeedback):
    def pushInfo(self, text):
        said.append(text)


found = run("batch", feedback=Feedback(), OUTPUT="memory:", **parameters)
tell([[feature["row"], feature["state"], feature["job_id"], feature["error"],
       feature.hasGeometry()] for feature in found["OUTPUT"].getFeatures()])
layer = found.get("VECTOR") or found.get("RASTER")
tell([layer.isValid(), layer.source() == found["SOURCE"], os.path.basename(layer.source())])
if found.get("VECTOR"):
    tell(sorted({str(feature["row"]) for feature in layer.getFeatures()}))
"""


def test_batch_of_polygons_is_one_job_each(client):
    """Their names are a field of the layer."""
    path = client.folder / "areas.gpkg"
    write(path, "EPSG:32725", *(
        f"POLYGON(({x} 9112000,{x + 2000} 9112000,{x + 2000} 9114000,{x} 9112000))"
        for x in (290000, 293000, 296000)))
    dataset = ogr.Open(str(path), 1)
    layer = dataset.GetLayer(0)
    layer.CreateField(ogr.FieldDefn("name"))
    for feature in layer:
        feature["name"] = f"area {feature.GetFID()}"
        layer.SetFeature(feature)
    del feature, layer, dataset
    parameters = json.dumps({"INPUT": str(path), "MODEL": "ndvi", "FILE": SCENE,
                             "LABEL_FIELD": "name"})
    ledger, result = script(client, BATCH, parameters)
    paid = [run["job"] for run in client.paid()]
    assert [[row[0], row[1], row[3], row[4]] for row in ledger] == [
        [f"area {n}", "published", None, True] for n in (1, 2, 3)]
    assert sorted(row[2] for row in ledger) == sorted(paid) and len(set(paid)) == 3
    assert result == [True, True, "rows.vrt"]
    calls = client.calls()
    assert script(client, BATCH, parameters) == [ledger, result] and client.calls() == calls


TABLE = "id,model,file,rerun\none,m,f,\ntwo,m,g,\nthree,m,f,again\n"


def test_failed_row_is_a_row_and_stops_no_other(scripted_client, service):
    (scripted_client.folder / "rows.csv").write_text(TABLE)
    service.script["run"] = [lambda seen: Response(job(
        "SUBMITTED", id="bad" if b"\r\n\r\ng\r\n" in seen["body"] else
        f"job-{len(service.calls('run'))}"))]
    service.script["status"] = [lambda seen: Response(job("FAILED", id="bad"))
                                if seen["query"]["inferenceId"] == "bad" else done(seen)]
    parameters = json.dumps({"INPUT": str(scripted_client.folder / "rows.csv")})
    ledger, result, names = script(scripted_client, BATCH, parameters)
    assert [row[:2] for row in ledger] == [["one", "published"], ["two", "failed"],
                                           ["three", "published"]]
    assert "job bad failed on the service" in ledger[1][3] and ledger[0][3] is None
    assert result == [True, True, "rows.vrt"] and names == ["one", "three"]
    assert len(service.calls("run")) == 3


def test_batch_in_qgis_process(client):
    plugin_kit.enable(client)
    (client.folder / "rows.csv").write_text(
        f"id,model,file\na,water,{SCENE}\nb,hulls,parcels.geojson\n")
    found = results(qgis_process(client, "giq:batch", "INPUT=rows.csv", "OUTPUT=jobs.gpkg"))
    assert len(client.paid()) == 2 and found["SOURCE"].endswith("/rows.vrt")
    assert [row["row"] for row in rows(client.folder / "jobs.gpkg")] == ["a", "b"]


SAID = "tell([text for text in said if 'rows of the batch' in text])"
REFUSED = ("GIQ: 1 of 3 rows of the batch have an error (1 refused); see the column error; row "
           "two: [refused] no job was started: the service refused the request: HTTP 400 no "
           "such file")


def refuse_g(service):
    """Run requests for the file g are refused, each other one is a job of its own."""
    def respond(seen):
        if b"\r\n\r\ng\r\n" in seen["body"]:
            return Response({"message": "no such file"}, 400)
        return Response(job("SUBMITTED", id=f"job-{len(service.calls('run'))}"))
    service.script["run"] = [respond]


def test_refused_row_is_a_row_and_stops_no_other(scripted_client, service):
    """It is told once, with the words of the service and no advice about SUBMIT=NO, which
    the user has not set."""
    (scripted_client.folder / "rows.csv").write_text(TABLE)
    refuse_g(service)
    parameters = json.dumps({"INPUT": str(scripted_client.folder / "rows.csv")})
    ledger, result, names, said = script(scripted_client, BATCH + SAID, parameters)
    assert [row[:2] for row in ledger] == [["one", "published"], ["two", "not submitted"],
                                           ["three", "published"]]
    assert "no such file" in ledger[1][3]
    assert result == [True, True, "rows.vrt"] and names == ["one", "three"]
    assert len(service.calls("run")) == 3
    assert said == [REFUSED]


def test_refused_row_without_a_name_leaves_the_ids_of_the_others(scripted_client, service):
    (scripted_client.folder / "rows.csv").write_text(
        "\n".join(line.partition(",")[2] for line in TABLE.splitlines()) + "\n")
    refuse_g(service)
    parameters = json.dumps({"INPUT": str(scripted_client.folder / "rows.csv")})
    ledger, result, names = script(scripted_client, BATCH, parameters)
    assert [row[:2] for row in ledger] == [["1", "published"], ["2", "not submitted"],
                                           ["3", "published"]]
    assert result == [True, True, "rows.vrt"] and names == ["1", "3"]


def test_batch_of_refused_rows_is_an_error_that_says_why(scripted_client, service):
    (scripted_client.folder / "rows.csv").write_text(TABLE)
    service.script["run"] = [Response({"message": "no such file"}, 400)]
    [text] = script(scripted_client, ALL_FAILED, scripted_client.folder / "rows.csv")
    assert text == ("No job was started for any of the 3 rows, and nothing is paid. Row one: "
                    "no job was started: the service refused the request: HTTP 400 no such file")
    assert len(service.calls("run")) == 3 and service.calls("status") == []


ALL_FAILED = """
tell(fails("batch", INPUT=sys.argv[1], OUTPUT="memory:"))
"""


def test_batch_without_results_is_the_error_of_the_driver(scripted_client, service):
    (scripted_client.folder / "rows.csv").write_text(TABLE)
    service.script["status"] = [lambda seen: Response(
        job("FAILED", id=seen["query"]["inferenceId"]))]
    service.script["run"] = [lambda _: Response(
        job("SUBMITTED", id=f"job-{len(service.calls('run'))}"))]
    path = scripted_client.folder / "rows.csv"
    [text] = script(scripted_client, ALL_FAILED, path)
    assert text.startswith("GIQ[batch]") and "3 failed" in text
    assert script(scripted_client, ALL_FAILED, path) == [text]
    assert len(service.calls("run")) == 3
