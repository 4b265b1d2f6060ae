"""The driver's page: its examples do what it says, its options are those there are."""
import pathlib
import re
import shutil

import pytest
from programs import DATA

PAGE = pathlib.Path(__file__).parents[2] / "plugin" / "GIQ.md"
TEXT = PAGE.read_text()
PROGRAMS = {"sh": ("sh", "-ec"), "python": ("/usr/bin/python3", "-c")}
# What an example shows that runs on its own.
SHOWS = {
    "ogrinfo -al GIQ:models": "id (String) = water",
    "gdalinfo -stats": "STATISTICS_MEAN",
    "wait=no": "status (String) = ",
    "upload=": "Feature Count: ",
    "GIQ:jobs": "model_id,file_id,label,status",
    "AOI=parcels.geojson": "Layer name: water",
}


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


@pytest.mark.parametrize("language, code", examples())
def test_example(client, language, code):
    for name in ("coast.wkt", "parcels.geojson"):
        shutil.copy(DATA / name, client.folder)
    done = client.run(*PROGRAMS[language], code)
    assert "GIQ[" not in done.stderr
    for words, shown in SHOWS.items():
        assert words not in code or shown in done.stdout, done.stdout
    requests = set(re.findall(r"GIQ:model=[^\"']*?;(?:file|upload)=[^\"]*", code))
    asked = {re.sub(";wait=no", "", request) for request in requests}
    assert len(client.paid()) == len(asked)


def test_page_lists_the_open_options_that_there_are(client):
    listed = client.run("ogrinfo", "--format", "GIQ").stdout
    assert options_of("Open options") == set(re.findall(r'<Option name="(\w+)"', listed))


def test_page_lists_the_configuration_options_that_there_are():
    header = (PAGE.parent / "options" / "giq_options.h").read_text()
    header = header.split("GIQ_CONFIG_OPTIONS")[1]
    assert options_of("Configuration options") == {
        f"GIQ_{name}" for name in re.findall(r"X\((\w+)\)", header)}


def test_keys_of_the_string_are_all_there(client):
    error = client.fails("ogrinfo", "GIQ:nonsense=1")
    allowed = re.search(r"allowed are ([\w, ]+)", error).group(1).split(", ")
    assert set(allowed) <= options_of("Dataset name")
