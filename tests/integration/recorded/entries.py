"""What the recorded store holds: one request for each state of a record, and for each
thing that a record can hold besides."""
import dataclasses

AREA = "POLYGON((10 20,11 20,11 21,10 21,10 20))"
LOCAL_AREA = "POLYGON((300000 9100000,300500 9100000,300500 9100500,300000 9100000))"
SOURCE = "fields.geojson"  # the file that is uploaded
SOURCE_TEXT = ('{"type":"FeatureCollection","features":[{"type":"Feature",'
               '"properties":{"field":1},"geometry":{"type":"Point",'
               '"coordinates":[10.5,20.5]}}]}\n')
# A member of a record that no version knows.
LATER = {"written_later": {"number": 7, "list": [1, "two", None]}}


@dataclasses.dataclass
class Entry:
    """A request as it is typed, and what opening it must give: a text of the dataset,
    or the tag of an error. `calls` are those that reach the service."""
    name: str
    dataset: str
    state: str
    gives: str = ""
    tag: str = ""
    calls: tuple = ()
    options: tuple = ()
    kind: str = "geojson"

    def arguments(self):
        return [word for option in self.options for word in ("-oo", option)]


ENTRIES = (
    Entry("intent", "GIQ:model=m;file=intent", "intent", tag="usage",
          options=("SUBMIT=NO",)),
    Entry("sending", "GIQ:model=m;file=sending", "sending", tag="unknown"),
    Entry("submitted", "GIQ:model=m;file=submitted", "submitted",
          gives="name (String) = submitted", calls=("status", "download")),
    Entry("succeeded", "GIQ:model=m;file=succeeded", "succeeded",
          gives="name (String) = succeeded", calls=("download",)),
    Entry("vector", "GIQ:model=m;file=vector", "published",
          gives="name (String) = vector"),
    Entry("raster", "GIQ:model=m;file=raster", "published", kind="raster",
          gives="Size is 3, 2"),
    Entry("archive", "GIQ:model=m;file=archive;member=b.csv", "published", kind="archive",
          gives="word (String) = archive"),
    Entry("failed", "GIQ:model=m;file=failed", "failed", tag="failed"),
    Entry("unknown", "GIQ:model=m;file=unknown", "unknown", tag="unknown"),
    Entry("gone", "GIQ:model=m;file=gone", "succeeded", tag="gone"),
    Entry("adopted", "GIQ:model=m;file=adopted;job=job-of-the-web-page", "published",
          gives="name (String) = job-of-the-web-page"),
    Entry("job", "GIQ:job=job-alone", "published", gives="name (String) = job-alone"),
    Entry("rerun", "GIQ:model=m;file=rerun;rerun=second", "published",
          gives="name (String) = rerun"),
    Entry("retried", "GIQ:model=m;file=retried", "failed", tag="failed",
          options=("RETRY=spring",)),
    Entry("retried-well", "GIQ:model=m;file=retried-well", "published",
          gives="name (String) = retried-well", options=("RETRY=spring",)),
    Entry("retry-begun", "GIQ:model=m;file=retry-begun", "intent", tag="failed"),
    Entry("upload", f"GIQ:model=m;upload={SOURCE}", "published",
          gives="name (String) = uploaded-1"),
    Entry("area", f"GIQ:model=m;file=area;geometry={AREA}", "published",
          gives="name (String) = area"),
    Entry("as-is", f"GIQ:model=m;file=as-is;geometry={LOCAL_AREA}", "published",
          gives="name (String) = as-is", options=("GEOMETRY_CRS=AS_IS",)),
)
