"""The keys of requests with an area, as the driver makes them. The address of the service
is part of a key, so the service has a name and stands as a proxy."""
import json

BASE_URL = "http://giq.invalid/public"
VRT = """<OGRVRTDataSource><OGRVRTLayer name="area">
<SrcDataSource relativeToVRT="1">area-{number}.csv</SrcDataSource>
<SrcLayer>area-{number}</SrcLayer><GeometryType>wkbUnknown</GeometryType>
<LayerSRS>EPSG:{code}</LayerSRS>
<GeometryField encoding="WKT" field="wkt"/></OGRVRTLayer></OGRVRTDataSource>
"""
OPEN_ALL = """
import json, sys
from osgeo import gdal
gdal.UseExceptions()
for options in json.load(open(sys.argv[1])):
    data = gdal.OpenEx("GIQ:model=m;file=f;wait=no", open_options=options)
    print(data.GetLayer(0).GetNextFeature()["key"])
"""

def behind_proxy(gdal, service):
    """The service is the fixed address to this Gdal."""
    gdal.env.update(GIQ_BASE_URL=BASE_URL, GIQ_ALLOW_HTTP="YES",
                    GDAL_HTTP_PROXY=f"http://127.0.0.1:{service.port}")
    return gdal

def _options(folder, number, case):
    """The open options of a case, whose area becomes a dataset where it is an AOI."""
    made = dict(case)
    if "AOI" in made:
        code, wkt = made["AOI"]
        (folder / f"area-{number}.csv").write_text(f'id,wkt\n1,"{wkt}"\n')
        path = folder / f"area-{number}.vrt"
        path.write_text(VRT.format(number=number, code=code))
        made["AOI"] = str(path)
    return [f"{name}={value}" for name, value in made.items()]

def keys_of(gdal, cases):
    """The key of each case, in their order."""
    listing = gdal.folder / "cases.json"
    listing.write_text(json.dumps([_options(gdal.folder, number, case)
                                   for number, case in enumerate(cases)]))
    done = gdal.python(OPEN_ALL, listing)
    return done.stdout.split()

