"""Being installed costs programs that do not use the driver nothing."""


def test_listing_formats_starts_no_thread_and_opens_no_socket(scripted_gdal):
    trace = scripted_gdal.folder / "trace"
    done = scripted_gdal.run(
        "strace", "-f", "-o", trace, "-e", "trace=socket,connect,clone,clone3,fork,vfork",
        "ogrinfo", "--formats", env={"LD_PRELOAD": "", "GIQ_BASE_URL": ""})
    assert "GIQ -raster,vector- (ros)" in done.stdout
    made = [line for line in trace.read_text().splitlines() if "+++" not in line]
    assert made == []


def test_loading_reads_no_file_of_the_user(scripted_gdal):
    trace = scripted_gdal.folder / "trace"
    scripted_gdal.run("strace", "-f", "-o", trace, "-e", "trace=openat,mkdir",
                      "ogrinfo", "--formats", env={"LD_PRELOAD": ""})
    assert str(scripted_gdal.store) not in trace.read_text()
