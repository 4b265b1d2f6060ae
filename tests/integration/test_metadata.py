"""The driver's metadata: what GDAL's own drivers of network services have, PLSCENES among
them, and what `--format` lists of it."""
import json
import re
import xml.etree.ElementTree

from programs import ROOT

# Name, type and default of each open option, in the order in which programs list them.
OPTIONS = [
    ("GEOMETRY", "string", ""),
    ("AOI", "string", ""),
    ("BBOX", "string", ""),
    ("GEOMETRY_CRS", "string-select", "EPSG:4326"),
    ("MAKE_VALID", "boolean", "NO"),
    ("WAIT", "boolean", "YES"),
    ("TIMEOUT", "float", "3600"),
    ("POLL_INTERVAL", "float", ""),
    ("SUBMIT", "string-select", "IF_MISSING"),
    ("RETRY", "string", ""),
    ("CONCURRENCY", "int", "16"),
    ("MAX_NEW_JOBS", "int", "1000"),
    ("USE_GEOMETRY", "boolean", "YES"),
    ("ON_FAILED", "string-select", "ERROR"),
    ("SOURCE_TYPE", "string-select", "UNKNOWN"),
    ("RESULT_OPTIONS", "string", ""),
    ("MAX_RETRY", "int", "5"),
    ("RETRY_DELAY", "float", "1"),
    ("HTTP_TIMEOUT", "float", "60"),
    ("CONNECT_TIMEOUT", "float", "10"),
    ("LOW_SPEED_TIME", "int", "30"),
    ("LOW_SPEED_LIMIT", "int", "1"),
    ("PROGRESS", "string-select", "AUTO"),
]


def version():
    text = (ROOT / "CMakeLists.txt").read_text()
    return re.search(r"^project\(giq VERSION ([\d.]+)", text, re.MULTILINE)[1]


def metadata(gdal, name):
    return json.loads(gdal.python("""
import json, sys
from osgeo import gdal
print(json.dumps(gdal.GetDriverByName(sys.argv[1]).GetMetadata()))
""", name).stdout)


def test_metadata_is_exactly_this(scripted_gdal):
    items = metadata(scripted_gdal, "GIQ")
    options = xml.etree.ElementTree.fromstring(items.pop("DMD_OPENOPTIONLIST"))
    assert items == {
        "DMD_LONGNAME": "gIQ geospatial inference service",
        "DMD_HELPTOPIC": "user/configoptions.html",
        "DMD_CONNECTION_PREFIX": "GIQ:",
        "DMD_SUBDATASETS": "YES",
        "DMD_SUPPORTED_SQL_DIALECTS": "OGRSQL SQLITE",
        "DCAP_OPEN": "YES",
        "DCAP_RASTER": "YES",
        "DCAP_VECTOR": "YES",
        "DCAP_MULTIPLE_VECTOR_LAYERS": "YES",
        "DRIVER_VERSION": version(),
    }
    assert [(o.get("name"), o.get("type"), o.get("default")) for o in options] == OPTIONS
    assert all(set(o.attrib) == {"name", "type", "default", "description"} for o in options)


def test_format_lists_it(scripted_gdal):
    text = scripted_gdal.run("ogrinfo", "--format", "GIQ").stdout
    assert text.partition("<OpenOptionList>")[0].splitlines() == [
        "Format Details:",
        "  Short Name: GIQ",
        "  Long Name: gIQ geospatial inference service",
        "  Supports: Raster",
        "  Supports: Vector",
        "  Help Topic: user/configoptions.html",
        "  Supports: Raster subdatasets",
        "  Supports: Open() - Open existing dataset.",
        "  Supports: Multiple vector layers.",
        "  Supported SQL dialects: OGRSQL SQLITE",
        "  Connection prefix: GIQ:",
    ]


def test_listed_dialects_work_on_the_tables(scripted_gdal, service):
    for dialect in ("OGRSQL", "SQLITE"):
        done = scripted_gdal.run("ogrinfo", "-q", "-dialect", dialect, "-sql",
                                 "SELECT COUNT(*) AS n FROM models", "GIQ:models")
        assert "n (Integer) = 1" in done.stdout.replace("Integer64", "Integer"), done.stdout
    assert service.names() == ["models", "models"]
