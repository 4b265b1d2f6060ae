"""Being installed costs programs that do not use the driver nothing."""

from archives import pack_zip
from scripted import Response, GEOJSON


def test_listing_formats_starts_no_thread_and_opens_no_socket(scripted_gdal):
    trace = scripted_gdal.folder / "trace"
    done = scripted_gdal.run(
        "strace", "-f", "-o", trace, "-e", "trace=socket,connect,clone,clone3,fork,vfork",
        "ogrinfo", "--formats", env={"LD_PRELOAD": "", "GIQ_BASE_URL": ""})
    assert "GIQ -raster,vector- (ros)" in done.stdout
    made = [line for line in trace.read_text().splitlines() if "+++" not in line]
    assert made == []


def test_loading_reads_no_file_of_the_user(scripted_gdal):
    folder = scripted_gdal.folder
    (folder / ".netrc").write_text("machine 127.0.0.1 login me password secret-of-netrc\n")
    (folder / "key").write_text("key-in-a-file\n")
    trace = folder / "trace"
    scripted_gdal.run("strace", "-f", "-o", trace, "-e", "trace=%file",
                      "ogrinfo", "--formats",
                      env={"LD_PRELOAD": "", "HOME": str(folder),
                           "GIQ_API_KEY_FILE": str(folder / "key")})
    touched = trace.read_text()
    for path in (scripted_gdal.store, folder / "key", folder / ".netrc"):
        assert str(path) not in touched


def opens_libarchive(gdal, *command, env=None):
    """Whether any process of the command opens libarchive."""
    trace = gdal.folder / "trace"
    gdal.run("strace", "-f", "-o", trace, "-e", "trace=openat", *command,
             env={"LD_PRELOAD": "", **(env or {})})
    return "/libarchive.so" in trace.read_text()


def test_libarchive_is_loaded_for_archives_only(scripted_gdal, service):
    """It and its dependencies would be two fifths of the cost of loading."""
    packed = pack_zip({"r.geojson": GEOJSON})
    service.script["download"] = [
        Response(body, headers={"Content-Disposition": f"attachment; filename={name}"})
        for body, name in ((GEOJSON, "r.geojson"), (packed, "r.zip"))]
    name = "GIQ:model=m;file=f"
    # A later GDAL needs it itself.
    of_gdal = opens_libarchive(scripted_gdal, "ogrinfo", "--formats",
                               env={"GDAL_DRIVER_PATH": "disable"})
    assert opens_libarchive(scripted_gdal, "ogrinfo", "--formats") == of_gdal
    assert opens_libarchive(scripted_gdal, "ogrinfo", name) == of_gdal
    assert opens_libarchive(scripted_gdal, "ogrinfo", f"{name};rerun=zip")
