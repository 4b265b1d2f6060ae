"""The service of the recorded store: the id of a job holds that of its file, and the
result holds it too."""
import io
import json
import re
import zipfile

from osgeo import gdal

from scripted import Response, ScriptedService

gdal.UseExceptions()


def vector(word):
    return json.dumps({"type": "FeatureCollection", "features": [{
        "type": "Feature", "properties": {"name": word},
        "geometry": {"type": "Point", "coordinates": [10.5, 20.5]}}]}).encode()


def raster():
    path = "/vsimem/recorded.tif"
    dataset = gdal.GetDriverByName("GTiff").Create(path, 3, 2, 1, gdal.GDT_Byte)
    dataset.SetGeoTransform((10, 0.5, 0, 21, 0, -0.5))
    dataset.WriteRaster(0, 0, 3, 2, bytes(range(6)))
    del dataset
    size = gdal.VSIStatL(path).size
    file = gdal.VSIFOpenL(path, "rb")
    data = bytes(gdal.VSIFReadL(1, size, file))
    gdal.VSIFCloseL(file)
    gdal.Unlink(path)
    return data


def archive(word):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for name, text in (("a.geojson", vector(word)), ("b.csv", f"id,word\n1,{word}\n")):
            made.writestr(zipfile.ZipInfo(name, (2024, 5, 1, 10, 20, 30)), text)
    return held.getvalue()


class StoreService(ScriptedService):
    """`status_of`, `refuses` and `on_run` are what happens to the job of a file."""

    def __init__(self):
        super().__init__()
        self.status_of = {}  # file: word of the service, else COMPLETED
        self.refuses = {}    # file: status of the download
        self.on_run = {}     # file: called when the run request came
        self.kinds = {}      # file: raster or archive, else vector
        self.script.update(run=[self.run], status=[self.status], download=[self.download],
                           upload=[Response({"fileId": "uploaded-1"})])

    @staticmethod
    def word_of(job_id):
        return job_id.removeprefix("job-of-file-")

    def run(self, seen):
        word = re.search(rb'name="fileId"\r\n\r\n(.*?)\r\n', seen["body"])[1].decode()
        if word in self.on_run:
            self.on_run[word]()
            return Response(drop=True)
        return Response(self.job_of(f"job-of-file-{word}", "SUBMITTED"))

    @staticmethod
    def job_of(job_id, status):
        return {"id": job_id, "status": status, "type": "VECTOR",
                "startedAt": "2024-05-01T10:20:30Z"}

    def status(self, seen):
        job_id = seen["query"]["inferenceId"]
        return Response(self.job_of(job_id, self.status_of.get(self.word_of(job_id),
                                                           "COMPLETED")))

    def download(self, seen):
        word = self.word_of(seen["query"]["inferenceJobId"])
        if word in self.refuses:
            return Response({"message": "no result"}, self.refuses[word])
        kind = self.kinds.get(word)
        name, body = {"raster": ("r.tif", raster), "archive": ("r.zip", archive)}.get(
            kind, ("r.geojson", vector))
        return Response(body() if kind == "raster" else body(word), headers={
            "Content-Disposition": f"attachment; filename={name}"})
