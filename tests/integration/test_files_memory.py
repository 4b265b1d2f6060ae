"""The memory of a long table of files."""
from programs import Gdal, Sandbox


def test_ten_thousand_items_take_little_memory(tmp_path, started):
    """64 MiB above a program that lists nothing, the table included."""
    sandbox = started(Sandbox(tmp_path / "many", "--stac-items", "10000"))
    gdal = Gdal(tmp_path, sandbox.url)
    command = ("ogrinfo", "-ro", "-q", "-so")
    idle, _ = gdal.peak_kib(*command, "GIQ:files;limit=10;datetime=../1900-01-01", "files")
    peak, _ = gdal.peak_kib(*command, "GIQ:files;limit=10000", "files")
    assert [body for body in sandbox.calls() if body == "search"] == ["search"] * 102
    assert peak - idle < 64 * 1024
    assert sandbox.runs() == []
