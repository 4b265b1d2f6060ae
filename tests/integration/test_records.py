"""Records: what is written before each step, and what a further open makes of it."""
import hashlib
import io
import json
import stat
import zipfile

import pytest

from scripted import GEOJSON, Answer, job

NAME = "GIQ:model=m;file=f"


def test_second_open_makes_no_call(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    before = service.names()
    done = scripted_gdal.run("ogrinfo", "-al", NAME, env={"GIQ_API_KEY": ""})
    assert "name (String) = one" in done.stdout
    service.stop()
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == before
    service.__init__()


def test_second_open_goes_on_with_the_job_of_the_first(scripted_gdal, service):
    service.script["status"] = [Answer(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    [record] = scripted_gdal.records().values()
    assert record["state"] == "submitted" and record["job_id"] == "job-1"
    service.script["status"] = [Answer(job("DONE"))]
    scripted_gdal.run("ogrinfo", "-oo", "SUBMIT=NO", NAME)
    assert service.names() == ["models", "run", "status", "status", "download"]


def test_states_are_written_before_what_they_announce(scripted_gdal, service):
    """The scripted service looks into the store while it answers."""
    found = {}

    def looking(name, answer):
        def look(_):
            found[name] = [r["state"] for r in scripted_gdal.records().values()]
            return answer
        return look

    for name in ("run", "status", "download"):
        service.script[name] = [looking(name, service.script[name][0])]
    scripted_gdal.run("ogrinfo", NAME)
    assert found == {"run": ["sending"], "status": ["submitted"],
                     "download": ["succeeded"]}
    [record] = scripted_gdal.records().values()
    assert record["state"] == "published" and record["format"] == 1


def test_key_is_the_digest_of_the_request(scripted_gdal):
    scripted_gdal.run("ogrinfo", NAME)
    [key] = scripted_gdal.records()
    text = (scripted_gdal.store / "v1" / key / "request.json").read_bytes()
    assert hashlib.sha256(text.rstrip(b"\n")).hexdigest() == key
    assert json.loads(text)["model"] == "m"


def test_store_of_the_user_is_private(scripted_gdal):
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_STORE_DIR": ""})
    store = scripted_gdal.folder / ".local/share/giq"
    assert store.is_dir()
    for path in [store, *store.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_store_that_the_driver_makes_is_private_whatever_the_umask(scripted_gdal, service,
                                                                   umask):
    """Under umask 0 it was open to everybody, and so refused at the next open."""
    for _ in range(2):
        scripted_gdal.run("sh", "-c", f"umask {umask}; exec ogrinfo '{NAME}'")
    for path in [scripted_gdal.store, *scripted_gdal.store.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert len(service.calls("run")) == 1


def test_store_that_a_group_shares_stays_shared(scripted_gdal, service):
    scripted_gdal.store.mkdir()
    scripted_gdal.store.chmod(0o770)
    scripted_gdal.run("sh", "-c", f"umask 0; exec ogrinfo '{NAME}'")
    for path in scripted_gdal.store.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o770 if path.is_dir() else 0o660), path


def test_rerun_is_a_request_of_its_own(scripted_gdal, service):
    for name in (NAME, f"{NAME};rerun=a", f"{NAME};rerun=a", f"{NAME};rerun=b"):
        scripted_gdal.run("ogrinfo", name)
    assert len(service.calls("run")) == 3


def test_job_that_a_record_holds_is_served_by_it(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    before = service.names()
    scripted_gdal.run("ogrinfo", "GIQ:job=job-1")
    assert service.names() == before
    assert len(scripted_gdal.records()) == 1


def test_job_without_a_record_gets_one(scripted_gdal, service):
    for _ in range(2):
        scripted_gdal.run("ogrinfo", "GIQ:job=job-1")
    assert service.names() == ["status", "download"]
    assert len(scripted_gdal.records()) == 1


def test_job_that_the_service_does_not_know_leaves_no_record(scripted_gdal, service):
    service.script["status"] = [Answer({"message": "Inference Job not found"}, 404)]
    text = scripted_gdal.fails("ogrinfo", "GIQ:job=nobody", tag="gone")
    assert "nobody" in text and "Inference Job not found" in text
    assert scripted_gdal.records() == {}


def test_result_that_was_deleted_is_fetched_again(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/result/*")
    path.unlink()
    path.parent.rmdir()
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == ["models", "run", "status", "download", "download"]


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\n")


def make_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [cut, lengthen, make_folder])
def test_result_of_another_size_is_downloaded_again_with_a_warning(scripted_gdal, service,
                                                                   spoil):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/result/*")
    whole = path.read_bytes()
    spoil(path)
    done = scripted_gdal.run("ogrinfo", NAME)
    assert done.stderr.count("Warning") == 1
    assert ("the result of the job job-1 is not as it was published, and is downloaded "
            f"again: {path}") in done.stderr
    assert path.read_bytes() == whole
    assert "Warning" not in scripted_gdal.run("ogrinfo", NAME).stderr
    assert service.names() == ["models", "run", "status", "download", "download"]


def test_emptied_folder_of_an_archive_is_downloaded_again_with_a_warning(scripted_gdal,
                                                                         service):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.geojson", GEOJSON)
    service.script["download"] = [Answer(packed.getvalue(), chunked=True)]
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/result/*")
    path.with_name("a.geojson.aux.xml").write_text("<PAMDataset/>")
    assert "Warning" not in scripted_gdal.run("ogrinfo", NAME).stderr
    for entry in path.parent.iterdir():
        entry.unlink()
    done = scripted_gdal.run("ogrinfo", NAME)
    assert done.stderr.count("is not as it was published, and is downloaded again") == 1
    assert service.names() == ["models", "run", "status", "download", "download"]


@pytest.mark.parametrize("env,tag", [
    ({"GIQ_API_KEY": ""}, "credentials"),
    ({"GIQ_MAX_RETRY": "0", "GDAL_HTTP_PROXY": "http://127.0.0.1:9"}, "network"),
])
def test_result_that_cannot_be_downloaded_again_is_told_and_stays(scripted_gdal, service,
                                                                  env, tag):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/result/*")
    cut(path)
    spoilt = path.read_bytes()
    text = scripted_gdal.fails("ogrinfo", NAME, tag=tag, env=env)
    assert ("the result on disk is not as it was published, and must be downloaded again: "
            in text)
    assert path.read_bytes() == spoilt
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1


def test_damaged_record_is_an_error_that_names_the_file(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    path.write_text("{\"format\":1,")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="store")
    assert "job.json" in text
    assert len(service.calls("run")) == 1


def test_submit_no_says_that_nothing_is_recorded(scripted_gdal, service):
    text = scripted_gdal.fails("ogrinfo", "-oo", "SUBMIT=NO", NAME, tag="usage")
    assert "SUBMIT=NO" in text
    assert service.calls() == []
    assert not scripted_gdal.records()
