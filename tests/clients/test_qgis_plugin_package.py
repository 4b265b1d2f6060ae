"""The zip file of the QGIS plugin: the same bytes each time, and QGIS takes it."""
import os
import stat
import subprocess
import zipfile

import plugin_kit
from plugin_kit import PLUGIN, environment

PACK = ["/usr/bin/python3", "-B", str(PLUGIN.parent / "pack.py")]


def packed(path, epoch="1700000000"):
    subprocess.run([*PACK, str(path)], check=True,
                   env={**os.environ, "SOURCE_DATE_EPOCH": epoch})
    return path.read_bytes()


def test_same_files_are_the_same_bytes(tmp_path):
    first = packed(tmp_path / "first.zip")
    assert packed(tmp_path / "second.zip") == first
    assert packed(tmp_path / "third.zip", "1700000002") != first
    with zipfile.ZipFile(tmp_path / "first.zip") as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names) and {"giq/__init__.py", "giq/metadata.txt", "giq/icon.svg",
                                       "giq/LICENSE", "giq/README.md"} <= set(names)
    assert {entry.external_attr >> 16 for entry in entries} == {stat.S_IFREG | 0o644}
    assert {entry.date_time for entry in entries} == {(2023, 11, 14, 22, 13, 20)}
    assert [name for name in names if not name.startswith("giq/") or "pycache" in name] == []


def test_qgis_takes_what_is_unzipped(client):
    profile = client.folder / plugin_kit.PROFILE
    (profile / "QGIS").mkdir(parents=True)
    (profile / "QGIS" / "QGIS3.ini").write_text("[PythonPlugins]\ngiq=true\n")
    packed(client.folder / "giq.zip")
    with zipfile.ZipFile(client.folder / "giq.zip") as archive:
        archive.extractall(profile / "python" / "plugins")
    done = client.run("qgis_process.bin", "list", env=environment(client))
    found = [line.split("\t")[1] for line in done.stdout.splitlines() if "\tgiq:" in line]
    assert found == ["giq:batch", "giq:fetch", "giq:files", "giq:jobs", "giq:models", "giq:run"]
