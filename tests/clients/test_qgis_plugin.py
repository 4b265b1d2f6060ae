"""giq:run of the QGIS plugin, in qgis_process and in processing.run(): one paid job for
each request, its layers, its copies and its errors."""

import pytest
from osgeo import gdal, ogr

from archives import pack_zip
import plugin_kit
from areas import write
from conftest import DATA, SCENE
from plugin_kit import qgis_process, results, script
from scripted import GEOJSON, Response, job

def counts(path):
    """The layers of a dataset and how many features they have."""
    dataset = ogr.Open(str(path))
    layers = [dataset.GetLayer(i) for i in range(dataset.GetLayerCount())]
    return {layer.GetName(): layer.GetFeatureCount() for layer in layers}


EITHER = "Give either a file of the service (FILE) or a local file to upload (UPLOAD)."
BOX = "-34.89,-34.84,-8.03,-7.99"


def test_vector_result_in_qgis_process(client):
    plugin_kit.enable(client)
    done = qgis_process(client, "giq:run", "MODEL=water", f"FILE={SCENE}", "OUTPUT=out.gpkg")
    [run] = client.paid()
    found = results(done)
    assert found["JOB"] == run["job"] and found["SOURCE"] == f"GIQ:job={run['job']}"
    assert "RASTER" not in found and found["VECTOR"] != ""
    assert f"model water, file {SCENE}, the whole file: this starts a paid job" in done.stdout
    assert list(counts(client.folder / "out.gpkg").values()) == [69]
    assert list(counts(client.local("water")).values()) == [69]

    calls = client.calls()
    again = qgis_process(client, "giq:run", "MODEL=water", f"FILE={SCENE}")
    assert results(again)["JOB"] == run["job"] and client.calls() == calls
    assert f"already paid: job {run['job']}, state published" in again.stdout


def test_error_is_the_whole_text_of_the_driver(client):
    plugin_kit.enable(client)
    done = qgis_process(client, "giq:run", "MODEL=ndwi", f"FILE={SCENE}", ok=False)
    assert done.returncode == 1 and client.paid() == []
    error = ('GIQ[usage] the service has no model with the id or name "ndwi"; the nearest: '
             "Vegetation index (ndvi), Water bodies (water), Convex hulls (hulls)")
    assert f"ERROR:\t{error}\n" in done.stderr


LAYERS = """
found = run("run", MODEL=sys.argv[1], FILE=sys.argv[2], OUTPUT=sys.argv[3])
for kind in ("VECTOR", "RASTER"):
    layer = found.pop(kind, None)
    if layer is not None:
        assert layer.isValid()
        tell([kind, layer.name(), layer.source(), layer.metadata().title(),
              {key: layer.customProperty(key) for key in layer.customPropertyKeys()
               if key.startswith("giq/")}])
tell(found)
"""


@pytest.mark.parametrize("model,kind,out", [("water", "VECTOR", "out.geojson"),
                                            ("ndvi", "RASTER", "out.tif")])
def test_layer_names_its_job_and_where_it_comes_from(client, model, kind, out):
    layer, found = script(client, LAYERS, model, SCENE, out)
    [run] = client.paid()
    source = f"GIQ:job={run['job']}"
    title = f"{model} – {SCENE}"
    [record] = client.records().values()
    assert layer[:4] == [kind, title, source, title]
    assert set(layer[4]) == {"giq/job", "giq/model", "giq/file", "giq/submitted",
                             "giq/finished", "giq/service"}
    assert [layer[4][f"giq/{key}"] for key in ("job", "model", "file", "service")] == [
        run["job"], model, SCENE, client.sandbox.url]
    assert found == {"JOB": run["job"], "SOURCE": source, "OUTPUT": out}
    assert gdal.OpenEx(str(client.folder / out)) is not None
    assert record["state"] == "published"


MARKUP = """
from qgis.core import QgsLayerMetadataFormatter
layer = run("run", MODEL="water", FILE=sys.argv[1], RERUN="<img src=x>")["VECTOR"]
formatter = QgsLayerMetadataFormatter(layer.metadata())
tell([layer.name(), layer.customProperty("giq/label")])
tell([formatter.identificationSectionHtml(), formatter.historySectionHtml()])
"""


def test_markup_in_a_name_is_text_in_the_properties_of_a_layer(client):
    [name, label], pages = script(client, MARKUP, SCENE)
    assert [name, label] == [f"water – {SCENE} – <img src=x>", "<img src=x>"]
    assert [page.count("&lt;img src=x&gt;") for page in pages] == [1, 1]
    assert [page.count("<img") for page in pages] == [0, 0]


EXTENT = """
import glob
layer = run("run", MODEL="m", FILE="f")["VECTOR"]
[path] = glob.glob("store/v1/*/result.*/*.geojson")
os.truncate(path, 0)
tell(layer.extent().center().toString(0))
"""


def test_extent_is_found_before_the_window_needs_it(scripted_client):
    """QGIS needs it in the thread of its window, which stood still while a large result was
    read again from end to end."""
    assert script(scripted_client, EXTENT) == ["1,2"]


PROJECT = """
found = run("run", MODEL="water", FILE=sys.argv[1], EXTENT=sys.argv[2])
project = QgsProject.instance()
assert project.addMapLayer(found["VECTOR"])
assert project.write("saved.qgs")
project.clear()
assert project.read("saved.qgs")
[layer] = project.mapLayers().values()
assert layer.isValid()
tell([layer.source(), layer.customProperty("giq/job"), layer.metadata().history()])
del layer, found
"""


def test_project_keeps_the_job_and_no_area(client):
    [[source, job_id, history]] = script(client, PROJECT, SCENE, f"{BOX} [EPSG:4326]")
    [run] = client.paid()
    assert source == f"GIQ:job={run['job']}" and job_id == run["job"]
    assert f"job: {job_id}" in history and "area_km2: 24.384" in " ".join(history)
    text = (client.folder / "saved.qgs").read_text()
    assert source in text
    assert [word for word in ("POLYGON", "bbox", "EXTENT", BOX[:13]) if word in text] == []


ARCHIVE = """
context = QgsProcessingContext()
context.setProject(QgsProject.instance())
found, ok = None, None
algorithm = application.processingRegistry().createAlgorithmById("giq:run")
found, ok = algorithm.run({"MODEL": "m", "FILE": "f", "OUTPUT": "out.gpkg"}, context,
                          QgsProcessingFeedback())
assert ok
tell(found)
layers = context.temporaryLayerStore().mapLayers()
tell(sorted([layer.name(), layer.source(), layer.isValid(), layer.featureCount()]
            for layer in layers.values()))
tell(len(context.layersToLoadOnCompletion()))
"""


def test_each_member_of_an_archive_is_a_layer(scripted_client, service):
    packed = pack_zip({"a.geojson": GEOJSON, "b.geojson": GEOJSON})
    service.script["download"] = [Response(packed)]
    found, layers, to_load = script(scripted_client, ARCHIVE)
    assert found["SOURCE"] == "GIQ:job=job-1" and "RASTER" not in found
    assert layers == [[f"m – f – {name}", f"GIQ:job=job-1;member={name}", True, 1]
                      for name in ("a.geojson", "b.geojson")]
    assert to_load == 2 and len(service.calls("run")) == 1
    assert counts(scripted_client.folder / "out.gpkg") == {"a": 1, "b": 1}


AREAS = """
layer = QgsVectorLayer(sys.argv[1], "parcels", "ogr")
QgsProject.instance().addMapLayer(layer)
from qgis.core import QgsProcessingFeatureSourceDefinition
layer.selectByIds([1])
one = run("run", MODEL="water", FILE=sys.argv[2], DRY_RUN=False,
          AREA=QgsProcessingFeatureSourceDefinition(layer.id(), True))
layer.removeSelection()
tell([layer.featureCount(), fails("run", MODEL="water", FILE=sys.argv[2], EXTENT="1,2,3,4",
                                  AREA=layer)])
tell(fails("run", MODEL="water", FILE=sys.argv[2],
           AREA=QgsProcessingFeatureSourceDefinition(layer.id(), True)))
run("run", MODEL="water", FILE=sys.argv[2], AREA=layer)
"""


def area_of(run):
    """The area of a run request, as a geometry."""
    return ogr.CreateGeometryFromWkt(run["form"]["geometry"])


def test_area_is_that_of_the_selected_features(client):
    write(client.folder / "areas.gpkg", "EPSG:32725",
          "POLYGON((290000 9112000,292000 9112000,292000 9114000,290000 9114000,290000 9112000))",
          "POLYGON((294000 9112000,296000 9112000,296000 9114000,294000 9114000,294000 9112000))")
    [count, both], none = script(client, AREAS, "areas.gpkg", SCENE)
    assert count == 2 and both == "Give either an area (AREA) or an extent (EXTENT), not both."
    assert none == "AREA has no features (or none is selected)."
    one, two = [area_of(run) for run in client.paid()]
    assert one.GetGeometryCount() == 1 and two.GetGeometryCount() == 2
    assert two.GetArea() == pytest.approx(2 * one.GetArea(), rel=1e-3)


EXTENTS = """
for extent in sys.argv[2:]:
    run("run", MODEL="water", FILE=sys.argv[1], EXTENT=extent)
"""


def test_extent_in_degrees_is_the_request_of_a_typed_one(client):
    client.run("ogrinfo", f"GIQ:model=water;file={SCENE};bbox=-34.89,-8.03,-34.84,-7.99")
    script(client, EXTENTS, SCENE, f"{BOX} [EPSG:4326]", BOX)
    assert len(client.paid()) == 1
    script(client, EXTENTS, SCENE, "290000,292000,9112000,9114000 [EPSG:32725]")
    [_, other] = client.paid()
    assert area_of(other).GetEnvelope() == pytest.approx(
        (-34.90556, -34.88732, -8.03168, -8.01353), abs=0.005)


UPLOADS = """
layer = QgsVectorLayer(sys.argv[1], "parcels", "ogr")
QgsProject.instance().addMapLayer(layer)
jobs = {run("run", MODEL="hulls", UPLOAD=upload)["JOB"]
        for upload in (sys.argv[1], layer, layer.id(), "parcels")}
tell(sorted(jobs))
memory = QgsVectorLayer("Point", "memory", "memory")
QgsProject.instance().addMapLayer(memory)
tell([fails("run", MODEL="hulls", UPLOAD="memory"),
      fails("run", MODEL="hulls", UPLOAD=sys.argv[1], FILE="x"), fails("run", MODEL="hulls")])
run("run", MODEL="hulls", UPLOAD=sys.argv[1], SOURCE_TYPE="POLYGON")
"""


def test_upload_is_a_path_or_the_file_of_a_layer(client):
    [[job_id], errors] = script(client, UPLOADS, DATA / "parcels.geojson")
    one, other = client.paid()
    assert one["job"] == job_id and client.calls().count("upload") == 2
    assert errors == ['UPLOAD must be a file; the layer "memory" is not read from one. Save '
                      "it as a file first."] + 2 * [EITHER]


CHOICES = """
algorithm = application.processingRegistry().createAlgorithmById("giq:run")
tell(algorithm.parameterDefinition("SOURCE_TYPE").options())
"""


def test_kinds_of_files_are_those_of_the_driver(client):
    [options] = script(client, CHOICES)
    done = client.run("ogrinfo", "--format", "GIQ")
    row = done.stdout.split('name="SOURCE_TYPE"')[1] if 'name="SOURCE_TYPE"' in done.stdout \
        else done.stdout.split("name='SOURCE_TYPE'")[1]
    row = row.split("</Option>")[0]
    assert options == [part.split("</Value>")[0] for part in row.split("<Value>")[1:]]
    assert "MULTISPECTRAL" in options


DRY = """
for name in ("MODEL", "MODEL"):
    tell(run("run", MODEL="water", FILE=sys.argv[1], DRY_RUN=True))
"""


def test_dry_run_makes_no_call(client):
    found = script(client, DRY, SCENE)
    assert found == 2 * [{"JOB": "", "SOURCE": ""}]
    assert client.calls() == [] and client.records() == {}
    client.run("ogrinfo", f"GIQ:model=water;file={SCENE}")
    calls = client.calls()
    [run] = client.paid()
    assert script(client, DRY, SCENE) == 2 * [{"JOB": run["job"], "SOURCE": ""}]
    assert client.calls() == calls


RERUN = """
tell([run("run", MODEL="water", FILE=sys.argv[1], RERUN=label)["JOB"]
      for label in ("", "monday", "monday", "tuesday")])
"""


def test_rerun_is_one_job_for_each_label(client):
    [[plain, monday, again, tuesday]] = script(client, RERUN, SCENE)
    assert monday == again and len({plain, monday, tuesday}) == 3
    assert [run["job"] for run in client.paid()] == [plain, monday, tuesday]


RETRY = """
for label in sys.argv[1:]:
    tell(fails("run", MODEL="m", FILE="f", RETRY=label))
"""


def test_retry_is_one_job_for_each_label(scripted_client, service):
    service.script["status"] = [Response(job("FAILED"))]
    texts = script(scripted_client, RETRY, "", "", "a", "a", "b")
    assert len(service.calls("run")) == 3 and len(texts) == 5
    for text in texts:
        assert text.startswith("GIQ[failed]") and "RETRY=<label>" in text, text


RETRY_COST = """
said = []


class Feedback(QgsProcessingFeedback):
    def pushInfo(self, text):
        said.append(text)


for label in ("", "monday"):
    run("run", feedback=Feedback(), MODEL="m", FILE="f", RETRY=label, DRY_RUN=True)
tell([text for text in said if text.startswith("model m")])
"""


def test_dry_run_of_a_retry_says_that_it_would_be_paid_for(scripted_client, service):
    """A job that has failed is not said to be paid for already where Run would start one
    more."""
    service.script["status"] = [Response(job("FAILED"))]
    scripted_client.run("ogrinfo", "GIQ:model=m;file=f", ok=None)
    [[failed, retry]] = script(scripted_client, RETRY_COST)
    begin = "model m, file f, the whole file: job job-1, state failed; this starts "
    assert failed.startswith(f"{begin}no job. the job job-1 failed on the service")
    assert "RETRY=<label>" in failed
    assert retry == (f"{begin}a new paid job, unless one was already started with the RETRY "
                     "label monday")
    assert len(service.calls("run")) == 1


LIMITS = """
from osgeo import gdal
tell([fails("run", MODEL="m", FILE="f"), str(gdal.GetConfigOption("GIQ_SUBMIT"))])
if len(sys.argv) > 1:
    tell(gdal.OpenEx("GIQ:model=m;file=f") is not None)
"""


def test_submit_no_of_the_user_stays(scripted_client, service):
    [[text, value]] = script(scripted_client, LIMITS, env={"GIQ_SUBMIT": "NO"})
    assert text.startswith("GIQ[usage]") and "SUBMIT=NO does not start one" in text
    assert value == "NO" and service.calls() == []


def test_threads_of_the_plugin_leave_the_others_alone(scripted_client, service):
    service.script["run"] = [Response({"message": "no"}, 400), Response(job("SUBMITTED"))]
    [text, _], opened = script(scripted_client, LIMITS, "open")
    assert text.startswith("GIQ[refused]") and opened is True
    assert len(service.calls("run")) == 2


EXCEPTIONS = """
from osgeo import gdal
texts = []
for switch in (gdal.UseExceptions, gdal.DontUseExceptions):
    switch()
    texts.append(fails("run", MODEL="none", FILE="f"))
    texts.append(fails("run", MODEL="m", FILE="f", OUTPUT="/nowhere/out.gpkg"))
tell(texts)
"""


def test_errors_are_the_same_with_and_without_exceptions(scripted_client, service):
    """GDAL 3.13 orders its own words for a copy differently in an exception."""
    [[model, copy, same_model, same_copy]] = script(scripted_client, EXCEPTIONS)
    assert model == same_model and model.startswith("GIQ[usage] the service has no model")
    for text in (copy, same_copy):
        assert text.startswith("The copy /nowhere/out.gpkg could not be written: ")
        assert text.count("sqlite3_open(/nowhere/out.gpkg) failed") == 1
    assert len(service.calls("run")) == 1


TIMEOUT = """
tell(fails("run", MODEL="m", FILE="f", TIMEOUT=0))
"""


def test_timeout_ends_the_wait_and_not_the_job(scripted_client, service):
    service.script["status"] = [Response(job("RUNNING"))]
    [text] = script(scripted_client, TIMEOUT)
    assert text == ("the job job-1 was not finished after 0 s; it continues, and running the "
                    "same again resumes the wait without paying again")
    assert len(service.calls("run")) == 1


def test_missing_driver_is_a_clear_error(client):
    plugin_kit.enable(client)
    client.env["GDAL_DRIVER_PATH"] = str(client.folder)
    done = qgis_process(client, "giq:run", "MODEL=water", f"FILE={SCENE}", ok=False)
    assert "has no driver GIQ. Install the package libgdal-plugin-giq" in done.stderr
    assert "GDAL_DRIVER_PATH" in done.stderr and client.calls() == []


MODEL = """
from qgis.core import QgsProcessingModelAlgorithm, QgsProcessingModelChildAlgorithm
from qgis.core import QgsProcessingModelChildParameterSource, QgsProcessingModelOutput
static = QgsProcessingModelChildParameterSource.fromStaticValue
run_child = QgsProcessingModelChildAlgorithm("giq:run")
run_child.setChildId("inference")
run_child.addParameterSources("MODEL", [static("water")])
run_child.addParameterSources("FILE", [static(sys.argv[1])])
points = QgsProcessingModelChildAlgorithm("native:centroids")
points.setChildId("points")
points.addParameterSources("INPUT", [
    QgsProcessingModelChildParameterSource.fromChildOutput("inference", "VECTOR")])
out = QgsProcessingModelOutput("points", "points")
out.setChildId("points")
out.setChildOutputName("OUTPUT")
points.setModelOutputs({"points": out})
model = QgsProcessingModelAlgorithm("model", "")
model.addChildAlgorithm(run_child)
model.addChildAlgorithm(points)
[destination] = model.destinationParameterDefinitions()
found = processing.run(model, {destination.name(): "memory:"})
tell([layer.featureCount() for layer in found.values() if isinstance(layer, QgsVectorLayer)])
"""


def test_result_goes_on_in_a_model(client):
    assert script(client, MODEL, SCENE) == [[69]]
    assert len(client.paid()) == 1


TASK = """
from qgis.core import QgsProcessingAlgRunnerTask
from qgis.PyQt.QtCore import QThread
project = QgsProject.instance()
context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
context.setProject(project)
algorithm = application.processingRegistry().createAlgorithmById("giq:run")
task = QgsProcessingAlgRunnerTask(algorithm, {"MODEL": "water", "FILE": sys.argv[1]}, context,
                                  feedback)
ended = []
task.executed.connect(lambda ok, results: ended.append((ok, results)))
application.taskManager().addTask(task)
while not ended:
    application.processEvents()
[(ok, results)] = ended
layer = context.takeResultLayer(results["VECTOR"])
assert ok and layer.thread() == QThread.currentThread() and project.addMapLayer(layer)
tell([layer.featureCount(), layer.source() == results["SOURCE"]])
"""


def test_task_hands_its_layer_to_the_thread_of_the_window(client):
    assert script(client, TASK, SCENE) == [[69, True]]
    assert len(client.paid()) == 1
