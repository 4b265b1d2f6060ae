"""The commands of README.md do what it says, and each block of them is run by a test."""
import re
import shutil

from plugin_kit import PROFILE, environment
from programs import DATA, ROOT, SCENE

README = (ROOT / "README.md").read_text()
FIRST = "GIQ: inference jobs as GDAL datasets"
HERE = "tests/clients/test_readme.py"
# What runs each block of commands of a section.
RUN_BY = {
    FIRST: [HERE],
    "Two commands": [".ci/run"],
    "Install": ["tests/roots/readme.sh", "tests/roots/readme.sh"],
    "From an area to a result": [HERE],
    "Many files and areas": [HERE, HERE],
    "QGIS": [HERE],
    "Clusters": ["tests/clients/test_slurm.py"],
    "The sandbox": ["tests/roots/readme.sh"],
}


def sections():
    """The text of each section by its title."""
    parts = re.split(r"^##? (.*)\n", README, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def blocks(title):
    """The blocks of commands of a section."""
    return re.findall(r"^```\w*\n(.*?)^```", sections()[title], re.M | re.S)


def rows(text):
    """The rows that tests/bench.sh measured, in a page."""
    table = text.split("<!-- what tests/bench.sh measured -->\n")[1]
    return table.split("<!-- so far tests/bench.sh -->")[0].splitlines()


def test_each_block_is_run_by_a_test():
    assert {title: len(blocks(title)) for title in sections() if blocks(title)} == {
        title: len(runners) for title, runners in RUN_BY.items()}


def test_rows_are_those_of_the_whole_table():
    results = rows((ROOT / "tests/bench/RESULTS.md").read_text())
    assert [row for row in rows(README) if row not in results] == []


def test_first_commands(client):
    shutil.copy(DATA / "coast.wkt", client.folder)
    shutil.copy(DATA / "areas" / "plots.geojson", client.folder)
    [commands] = blocks(FIRST)
    client.run("sh", "-ec", commands)
    assert len(client.layer("water.gpkg")) > 0
    assert len({row["properties"]["row"] for row in client.layer("plots.gpkg")}) == 9
    assert [run["form"]["modelId"] for run in client.paid()] == ["water"] + ["segments"] * 9


def test_way_from_an_area_to_a_result(client):
    (client.folder / "data").mkdir()
    shutil.copy(DATA / "parcels.geojson", client.folder / "data")
    [way] = blocks("From an area to a result")
    key, models, find, dry_run, run = way.splitlines()
    assert key == "export GIQ_API_KEY=..."
    assert "id (String) = water" in client.run("sh", "-ec", models).stdout
    found = client.run("sh", "-ec", find).stdout.splitlines()
    assert found[0] == "item_id,file_id,name,datetime"
    [scene] = [row.split(",") for row in found[1:] if row.startswith(SCENE)]

    def chosen(command):
        return command.replace("<file_id>", scene[1]).replace("<model>", "water")
    calls = client.calls()
    done = client.run("sh", "-ec", chosen(dry_run))
    assert "state (String) = not submitted" in done.stdout
    assert re.search(r"area_km2 \(Real\) = \d+\.\d+\n", done.stdout)
    assert client.calls() == calls
    client.run("sh", "-ec", chosen(run))
    [paid] = client.paid()
    assert paid["form"]["fileId"] == scene[1] and "geometry" in paid["form"]
    assert (client.folder / "out.gpkg").exists()


def test_many_files_and_areas_as_one_dataset(client):
    (client.folder / "data").symlink_to(DATA)
    (client.folder / "scenes").mkdir()
    client.run("gdal_translate", "-q", "-srcwin", 0, 0, 100, 100, DATA / SCENE,
               "scenes/a 1.tif")
    client.run("gdal_translate", "-q", "-srcwin", 100, 0, 100, 100, DATA / SCENE,
               "scenes/b.tif")
    areas, scenes = blocks("Many files and areas")
    done = client.run("sh", "-ec", areas)
    assert done.stdout.count("state (String) = not submitted") == 9
    assert "GIQ: dry run: 9 jobs to be paid, " in done.stderr
    assert "GIQ: starting 9 jobs, 0 exist" in done.stderr
    assert {row["properties"]["row"] for row in client.layer("segments.gpkg")} == {
        "north-west", "north", "north-east", "west", "centre", "east", "south-west", "south",
        "south-east"}
    client.run("sh", "-ec", scenes)
    assert {row["properties"]["row"] for row in client.layer("scenes.gpkg")} == {
        "scenes/a 1.tif", "scenes/b.tif"}
    assert len(client.paid()) == 9 + 2
    calls = client.calls()
    client.run("sh", "-ec", areas)
    client.run("sh", "-ec", scenes)
    assert client.calls() == calls


def test_plugin_of_qgis_is_packed_enabled_and_run(client):
    [commands] = blocks("QGIS")
    pack, *in_qgis = commands.splitlines()
    client.run("cmake", "-S", ROOT, "-B", "build", "-DGIQ_TESTS=OFF")
    client.run("sh", "-ec", pack)
    [archive] = (client.folder / "build").glob("giq-*.zip")
    shutil.unpack_archive(archive, client.folder / PROFILE / "python" / "plugins")
    for command in in_qgis:
        client.run("sh", "-ec", command, env=environment(client))
    assert len(client.layer("water.gpkg")) > 0
    assert len(client.paid()) == 1
