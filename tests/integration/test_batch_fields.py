"""What the rows of GIQ:batch ask for, as the service is asked: fields and defaults, areas
and whole files, and the limits of a batch."""
import pytest

from areas import points, write
from archives import pack_zip
from batches import (NAME, attached, collection, fails, field_of, file_of, read,
                     table, words_of, write_rows)
from scripted import MODELS, Response

SQUARE = "POLYGON((54 24,54 25,55 25,55 24,54 24))"
SMALL = "POLYGON((56 24,56 24.5,56.5 24.5,56 24))"


@pytest.fixture
def gdal(scripted_gdal):
    scripted_gdal.env.update(GIQ_POLL_INTERVAL="0.05")
    return scripted_gdal


def write_lines(gdal, *lines):
    (gdal.folder / "rows.csv").write_text("\n".join(lines) + "\n")


def paid(service):
    """Model and file of each run request."""
    return sorted((field_of(run, "modelId"), file_of(run)) for run in service.calls("run"))


# ---- fields ----

def test_fields_in_any_case_replace_the_defaults(gdal, service, jobs):
    service.script["models"] = [Response([*MODELS, {**MODELS[0], "id": "n", "name": "N"}])]
    write_lines(gdal, "ID,File_Id,MODEL,ReRun,colour",
                "all,a,n,x,red", "none,,,,", "file,b,,,blue", "again,a,n,,")
    found, _ = read(gdal, f"{NAME};file=z")
    assert [row for row, _ in found] == ["all", "none", "file", "again"]
    assert paid(service) == [("m", "b"), ("m", "z"), ("n", "a"), ("n", "a")]
    read(gdal, f"{NAME};file=z;rerun=x")
    assert len(paid(service)) == 4 + 2, "one has that label, and another is equal"


def test_file_or_upload_of_a_row_replaces_either_default(gdal, service, jobs):
    for name in ("one", "two"):
        (gdal.folder / f"{name}.tif").write_text(name)
    service.script["upload"] = [lambda seen: Response(
        {"fileId": "up-1" if b"\r\n\r\none\r\n" in seen["body"] else "up-2"})]
    write_lines(gdal, "id,file,upload", "file,a,", "upload,,one.tif", "neither,,")
    assert len(read(gdal, f"{NAME};file=z")[0]) == 3
    assert sorted(jobs.paid()) == ["a", "up-1", "z"]
    assert len(read(gdal, f"{NAME};upload=two.tif")[0]) == 3
    assert sorted(jobs.paid()) == ["a", "up-1", "up-2", "z"]
    assert service.names().count("upload") == 2


def test_file_that_many_rows_upload_is_uploaded_once(gdal, service, jobs):
    (gdal.folder / "one.tif").write_text("one")
    write_lines(gdal, "id,upload,rerun", *(f"r{i},one.tif,label{i}" for i in range(6)))
    assert len(read(gdal)[0]) == 6
    assert jobs.paid() == ["up-1"] * 6
    assert service.names().count("upload") == 1


ODD = 'f; "q" \\n $HOME, \'x\''


def test_names_that_need_quotes_are_sent_and_opened_as_they_are(gdal, jobs):
    quoted = ODD.replace('"', '""')
    write_lines(gdal, "id,file", f'"{quoted}","{quoted}"', "b,f")
    found, _ = table(gdal)
    assert sorted(jobs.paid()) == ["f", ODD] and found[0]["row"] == ODD
    assert [row for row, _ in read(gdal)[0]] == [ODD, "b"]
    gdal.run("ogrinfo", "-ro", found[0]["location"])
    assert sorted(jobs.paid()) == ["f", ODD]


def test_member_and_options_hold_for_every_row(gdal, service, jobs):
    inner = collection(({"name": "inner"}, None))
    for file in "ab":
        jobs.results[file] = attached(pack_zip({"one.geojson": inner, "two.geojson": inner}),
                                      "r.zip")
    write_rows(gdal, "a", "b")
    assert "member=<name>: one.geojson, two.geojson" in fails(gdal, "batch")
    assert read(gdal, f"{NAME};member=two.geojson")[0] == [("r0", "inner"), ("r1", "inner")]
    assert jobs.paid() == ["a", "b"]


def test_row_without_an_id_and_equal_ids_are_not_valid(gdal, service, jobs):
    write_lines(gdal, "id,file", ",a", "x,b", "x,c", "y,d")
    said = fails(gdal, "batch")
    assert "2 of 4 rows of the batch are not valid, so no job was started" in said
    assert service.calls() == [] and gdal.records() == {}


# ---- areas ----

def test_fields_that_differ_in_case_alone_are_an_error_that_names_both(gdal, service, jobs):
    write_lines(gdal, "id,model,file,Model", "a,m,f,n")
    assert 'two fields "model", "model" and "Model"; rename one' in fails(gdal, "usage")
    assert service.calls() == []


def test_layer_is_chosen_and_its_areas_are_sent(gdal, service, jobs):
    path = write(gdal.folder / "areas.gpkg", "EPSG:4326", SQUARE, layer="first")
    write(path, "EPSG:4326", SQUARE, SMALL, layer="second, of two")
    gdal.run("ogrinfo", "-so", "-al", "GIQ:batch='areas.gpkg,second, of two';model=m;file=f")
    sent = [field_of(run, "geometry") for run in service.calls("run")]
    assert sorted(len(set(points(text))) for text in sent) == [3, 4]
    gdal.run("ogrinfo", "-so", "-al", "GIQ:batch=areas.gpkg,first;model=m;file=f")
    assert len(service.calls("run")) == 2, "its area is that of a row of the other layer"


@pytest.mark.parametrize("is_table", [True, False])
def test_whole_files_without_geometries_or_when_they_are_not_used(gdal, service, jobs,
                                                                  is_table):
    options = [] if is_table else ["USE_GEOMETRY=NO"]
    write_rows(gdal, "f")
    write(gdal.folder / "areas.gpkg", "EPSG:4326", SQUARE, SMALL)
    name = NAME if is_table else "GIQ:batch=areas.gpkg;model=m;file=f"
    assert len(read(gdal, name, *options)[0]) == (1 if is_table else 2)
    assert [field_of(run, "geometry") for run in service.calls("run")] == [None]


def test_rows_whose_geometry_is_no_area_are_not_valid(gdal, service, jobs):
    write(gdal.folder / "rows.gpkg", "EPSG:4326", SQUARE, "POINT(54 24)",
          "LINESTRING(54 24,55 25)", "POLYGON EMPTY", None)
    name = "GIQ:batch=rows.gpkg;model=m;file=f"
    for option in ("ON_FAILED=ERROR", "ON_FAILED=SKIP"):
        said = fails(gdal, "batch", option, name=name)
        assert "4 of 5 rows of the batch are not valid, so no job was started" in said
    assert service.calls() == [] and gdal.records() == {}


@pytest.mark.parametrize("more, options", [
    (f";geometry={SQUARE}", ()), (";aoi=areas.gpkg", ()), (";bbox='1,2,3,4'", ()),
    (";job=job-1", ()), ("", (f"GEOMETRY={SQUARE}",)), ("", ("AOI=areas.gpkg",)),
    ("", ("BBOX=1,2,3,4",)), (";part=2/2", ()), (";part=1", ()), (";part=-1/2", ()),
    ("", ("CONCURRENCY=0",)), ("", ("CONCURRENCY=257",)), ("", ("MAX_NEW_JOBS=-1",)),
    ("", ("ON_FAILED=IGNORE",)), ("", ("USE_GEOMETRY=MAYBE",))])
def test_what_contradicts_a_batch_is_a_usage_error(gdal, service, jobs, more, options):
    write(gdal.folder / "areas.gpkg", "EPSG:4326", SQUARE)
    write_rows(gdal, "a")
    gdal.fails("ogrinfo", "-ro", NAME + more, *words_of(options), tag="usage")
    assert service.calls() == [] and gdal.records() == {}


# ---- limits ----

def test_layer_without_rows_is_an_error_and_an_empty_table(gdal, service, jobs):
    write_lines(gdal, "id,file")
    assert "the batch has no rows" in fails(gdal, "batch")
    assert table(gdal) == ([], "")
    assert service.calls() == []


def test_more_than_a_thousand_new_jobs_must_be_allowed(gdal, service, jobs):
    write_rows(gdal, *range(1001))
    said = fails(gdal, "usage")
    assert "the batch would start 1001 jobs, and MAX_NEW_JOBS allows 1000" in said
    said = fails(gdal, "usage", "MAX_NEW_JOBS=0")
    assert "the batch would start 1001 jobs, and MAX_NEW_JOBS allows 0" in said
    found, said = table(gdal, f"{NAME};wait=no", "SUBMIT=NO", "MAX_NEW_JOBS=1001")
    assert len(found) == 1001 and said.startswith("GIQ: dry run: 1001 jobs to be paid, ")
    assert service.calls() == [] and gdal.records() == {}


def test_more_rows_than_a_batch_may_have_are_refused(gdal, service, jobs):
    write_rows(gdal, *range(100_001))
    said = fails(gdal, "batch")
    assert "the batch has more than 100000 rows" in said
    assert service.calls() == [] and gdal.records() == {}
