"""Batches against a scripted service: its jobs, tables of rows, and what an open of them
reads or says."""
import json
import re

from scripted import Response, job

NAME = "GIQ:batch=rows.csv;model=m"
COLUMNS = ["row", "key", "model_id", "file_id", "upload", "label", "job_id", "status",
           "state", "type", "started_at", "submitted_at", "finished_at", "result_path",
           "result_size", "area_km2", "error", "location"]


def field_of(run, name):
    """A field of a run request, or None."""
    found = re.search(rb'name="%s"\r\n\r\n(.*?)\r\n' % name.encode(), run["body"])
    return found and found[1].decode()


def file_of(run):
    """The file of a run request."""
    return field_of(run, "fileId")


def collection(*features):
    """GeoJSON of features that are pairs of properties and geometry."""
    return json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": properties, "geometry": geometry}
        for properties, geometry in features]}).encode()


def result(name):
    return collection(({"name": name}, {"type": "Point", "coordinates": [1, 2]}))


def attached(body, name="result.geojson"):
    """The response to a download."""
    return Response(body, headers={"Content-Disposition": f"attachment; filename={name}"})


class Jobs:
    """A service whose jobs are called job-<file>. `run`, `state` and `results` have what is
    not as usual, by file."""

    def __init__(self, service):
        self.service = service
        self.run, self.state, self.results = {}, {}, {}
        service.script.update(run=[self.on_run], status=[self.on_status],
                              download=[self.on_download])

    def on_run(self, seen):
        file = file_of(seen)
        return self.run.get(file) or Response({**job("SUBMITTED"), "id": f"job-{file}"})

    def on_status(self, seen):
        name = seen["query"]["inferenceId"]
        state = self.state.get(name.removeprefix("job-"), "COMPLETED")
        return Response({**job(state), "id": name})

    def on_download(self, seen):
        file = seen["query"]["inferenceJobId"].removeprefix("job-")
        return self.results.get(file) or attached(result(file))

    def paid(self):
        """The files of the run requests, in no order."""
        return sorted(file_of(seen) for seen in self.service.calls("run"))


def write_rows(gdal, *files, name="rows.csv", fields=("id", "file")):
    """Write a table whose rows are r0, r1 ... of these files."""
    lines = [",".join(fields), *(f"r{i},{file}" for i, file in enumerate(files))]
    (gdal.folder / name).write_text("\n".join(lines) + "\n")


def words_of(options):
    """Open options as arguments of GDAL's programs."""
    return [word for option in options for word in ("-oo", option)]


def read(gdal, name=NAME, *options, env=None):
    """(row, name) of each feature, and what is said on stderr."""
    out = gdal.folder / "read.geojson"
    out.unlink(missing_ok=True)
    done = gdal.run("ogr2ogr", "-f", "GeoJSON", out, name, *words_of(options), env=env)
    found = [feature["properties"] for feature in json.loads(out.read_text())["features"]]
    return [(one["row"], one["name"]) for one in found], done.stderr


TABLE = """
import json, sys
from osgeo import gdal
gdal.UseExceptions()
data = gdal.OpenEx(sys.argv[1], gdal.OF_VECTOR, open_options=sys.argv[2:])
assert data.GetLayerCount() == 1 and data.GetLayer(0).GetName() == "jobs"
layer = data.GetLayer(0)
print(json.dumps([[field.GetName() for field in layer.schema],
                  [row.items() for row in layer]]))
"""


def table(gdal, name=f"{NAME};wait=no", *options, env=None):
    """The layer `jobs`, and what is said on stderr."""
    done = gdal.python(TABLE, name, *options, env=env)
    columns, found = json.loads(done.stdout)
    assert columns == COLUMNS
    return found, done.stderr


def fails(gdal, tag, *options, name=NAME, env=None):
    """The error of an open that must fail."""
    return gdal.fails("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", name, *words_of(options),
                      tag=tag, env=env)
