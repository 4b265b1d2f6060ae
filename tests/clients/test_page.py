"""The driver's page: its examples do what it says, its options are those there are."""
import pathlib
import re
import shutil

import pytest
from programs import DATA

PAGE = pathlib.Path(__file__).parents[2] / "plugin" / "GIQ.md"
TEXT = PAGE.read_text()
PROGRAMS = {"sh": ("sh", "-ec"), "python": ("/usr/bin/python3", "-c")}
# What the output of an example holds, by words that only this example has.
SHOWS = {
    "ogrinfo -al GIQ:models": "id (String) = water",
    "item_id,file_id,datetime": "item_id,file_id,datetime\n",
    "ogr2ogr water.gpkg": "",
    ";bbox='": "Layer name: water",
    "gdalinfo -stats": "STATISTICS_MEAN",
    "rerun=monday": "status (String) = ",
    "upload=": "Feature Count: ",
    "GIQ:jobs": "model_id,file_id,label,status",
    "RESULT_OPTIONS": "Driver: GTiff",
    "ComputeStatistics": "[",
    "ogr2ogr parcels.gpkg": "state (String) = not submitted",
    "ogr2ogr all.gpkg": "",
    "ogr2ogr named.gpkg": "",
    "gdal.Translate": "",
}
# What an example writes.
WRITES = {"ogr2ogr water.gpkg": "water.gpkg", "gdal_translate": "ndvi.tif",
          "ogr2ogr parcels.gpkg": "parcels.gpkg", "ogr2ogr all.gpkg": "all.gpkg",
          "ogr2ogr named.gpkg": "named.gpkg", "gdal.Translate": "2.tif"}
# The jobs of a batch: the parcels, and the one raster of the sandbox.
ROWS = {"ogr2ogr parcels.gpkg": 3, "ogr2ogr all.gpkg": 1, "ogr2ogr named.gpkg": 1,
        "gdal.Translate": 3}


def section(title):
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def examples():
    found = re.findall(r"```(sh|python)\n(.*?)```", section("Examples"), re.S)
    return [pytest.param(language, code, id=f"{number}-{code.split()[0]}")
            for number, (language, code) in enumerate(found)]


def options_of(title):
    """The names in the first column of the tables of a section."""
    cells = [line.split("|")[1] for line in section(title).splitlines()
             if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_examples_are_those_that_the_test_knows():
    codes = [example.values[1] for example in examples()]
    assert [words for words in SHOWS if sum(words in code for code in codes) != 1] == []
    assert len(codes) == len(SHOWS)


@pytest.mark.parametrize("language, code", examples())
def test_example(client, language, code):
    for name in ("coast.wkt", "parcels.geojson"):
        shutil.copy(DATA / name, client.folder)
    done = client.run(*PROGRAMS[language], code)
    assert "GIQ[" not in done.stderr
    [words] = [words for words in SHOWS if words in code]
    assert SHOWS[words] in done.stdout, done.stdout
    for writes, name in WRITES.items():
        assert (client.folder / name).exists() == (writes in code)
    requests = set(re.findall(r"GIQ:model=[^\"']*?;(?:file|upload)=[^\"]*", code))
    asked = {re.sub(";wait=no", "", request) for request in requests}
    assert len(client.paid()) == ROWS.get(words, len(asked))


def test_page_lists_the_open_options_that_there_are(client):
    listed = client.run("ogrinfo", "--format", "GIQ").stdout
    assert options_of("Open options") == set(re.findall(r'<Option name="(\w+)"', listed))


def test_page_lists_the_configuration_options_that_there_are():
    header = (PAGE.parent / "options" / "giq_options.h").read_text()
    header = header.split("GIQ_CONFIG_OPTIONS")[1]
    assert options_of("Configuration options") == {
        f"GIQ_{name}" for name in re.findall(r"X\((\w+),", header)}


def test_keys_of_a_search_are_all_there(client):
    error = client.fails("ogrinfo", "GIQ:files;nonsense=1")
    allowed = re.search(r"allowed are ([\w, ]+)", error).group(1).split(", ")
    assert set(allowed) == {name for row in section("Files").splitlines()
                            if row.startswith("| `")
                            for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_keys_of_the_string_are_all_there(client):
    error = client.fails("ogrinfo", "GIQ:nonsense=1")
    allowed = re.search(r"allowed are ([\w, ]+)", error).group(1).split(", ")
    # The page also lists the names that the service has for some.
    service_names = {"modelId", "fileId", "inferenceId"}
    assert set(allowed) == options_of("Dataset name") - service_names
