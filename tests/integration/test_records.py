"""Records: what is written before each step, and what a further open makes of it."""
import hashlib
import json
import os
import stat
import time

import pytest

from archives import pack_zip
from programs import PUBLISHED
from scripted import GEOJSON, Response, job

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
    service.script["status"] = [Response(job("RUNNING"))]
    scripted_gdal.fails("ogrinfo", "-oo", "TIMEOUT=0", NAME, tag="timeout")
    [record] = scripted_gdal.records().values()
    assert record["state"] == "submitted" and record["job_id"] == "job-1"
    service.script["status"] = [Response(job("DONE"))]
    scripted_gdal.run("ogrinfo", "-oo", "SUBMIT=NO", NAME)
    assert service.names() == ["models", "run", "status", "status", "download"]


def test_states_are_written_before_what_they_announce(scripted_gdal, service):
    """The scripted service reads the store before it responds."""
    found = {}

    def reading(name, response):
        def read_states(_):
            found[name] = [r["state"] for r in scripted_gdal.records().values()]
            return response
        return read_states

    for name in ("run", "status", "download"):
        service.script[name] = [reading(name, service.script[name][0])]
    scripted_gdal.run("ogrinfo", NAME)
    assert found == {"run": ["sending"], "status": ["submitted"],
                     "download": ["succeeded"]}
    [record] = scripted_gdal.records().values()
    assert record["state"] == "published" and record["format"] == 2


def test_key_is_the_digest_of_the_request(scripted_gdal):
    scripted_gdal.run("ogrinfo", NAME)
    [key] = scripted_gdal.records()
    text = (scripted_gdal.store / "v1" / key / "request.json").read_bytes()
    assert hashlib.sha256(text.rstrip(b"\n")).hexdigest() == key
    assert json.loads(text)["model"] == "m"


PRIVATE = {"folders": {0o700}, "files": {0o600}}


def modes(store):
    """The permissions that occur in a store."""
    found = {"folders": set(), "files": set()}
    for path in [store, *store.rglob("*")]:
        found["folders" if path.is_dir() else "files"].add(stat.S_IMODE(path.stat().st_mode))
    return found


def test_store_of_the_user_is_private(scripted_gdal):
    scripted_gdal.run("ogrinfo", NAME, env={"GIQ_STORE_DIR": ""})
    assert modes(scripted_gdal.folder / ".local/share/giq") == PRIVATE


@pytest.mark.parametrize("umask", ["000", "022", "077"])
def test_store_that_the_driver_makes_is_private_whatever_the_umask(scripted_gdal, service,
                                                                   umask):
    """Under umask 0 it was open to everybody, and so refused at the next open."""
    for _ in range(2):
        scripted_gdal.run("sh", "-c", f"umask {umask}; exec ogrinfo '{NAME}'")
    assert modes(scripted_gdal.store) == PRIVATE
    assert len(service.calls("run")) == 1


def test_store_that_a_group_shares_stays_shared(scripted_gdal, service):
    scripted_gdal.store.mkdir()
    scripted_gdal.store.chmod(0o770)
    scripted_gdal.run("sh", "-c", f"umask 0; exec ogrinfo '{NAME}'")
    assert modes(scripted_gdal.store) == {"folders": {0o770}, "files": {0o660}}
    assert len(service.calls("run")) == 1


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
    service.script["status"] = [Response({"message": "Inference Job not found"}, 404)]
    text = scripted_gdal.fails("ogrinfo", "GIQ:job=nobody", tag="gone")
    assert "nobody" in text and "Inference Job not found" in text
    assert scripted_gdal.records() == {}


def test_result_that_was_deleted_is_fetched_again(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
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
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    whole = path.read_bytes()
    spoil(path)
    done = scripted_gdal.run("ogrinfo", NAME)
    assert done.stderr.count("Warning") == 1
    assert ("the result of the job job-1 was changed after it was published, and is "
            f"downloaded again: {path}") in done.stderr
    [again] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    assert again.parent != path.parent and again.read_bytes() == whole
    assert "Warning" not in scripted_gdal.run("ogrinfo", NAME).stderr
    assert service.names() == ["models", "run", "status", "download", "download"]


def test_emptied_folder_of_an_archive_is_downloaded_again_with_a_warning(scripted_gdal,
                                                                         service):
    packed = pack_zip({"a.geojson": GEOJSON})
    service.script["download"] = [Response(packed, chunked=True)]
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    path.with_name("a.geojson.aux.xml").write_text("<PAMDataset/>")
    assert "Warning" not in scripted_gdal.run("ogrinfo", NAME).stderr
    for entry in path.parent.iterdir():
        entry.unlink()
    done = scripted_gdal.run("ogrinfo", NAME)
    assert done.stderr.count("was changed after it was published, and is downloaded again") == 1
    assert service.names() == ["models", "run", "status", "download", "download"]


KEPT = "and is kept there; open it by its path, restore the recorded one, "
OFFLINE = {"GIQ_MAX_RETRY": "0", "GDAL_HTTP_PROXY": "http://127.0.0.1:9"}
NO_RESULT = Response({"message": "expired"}, 404)


@pytest.mark.parametrize("options", [(), ("-oo", "RETRY=a")])
@pytest.mark.parametrize("spoil", [cut, lengthen])
@pytest.mark.parametrize("env,response,tag,way_on", [
    ({"GIQ_API_KEY": ""}, None, "credentials", "or open again to download it: "),
    (OFFLINE, None, "network", "or open again to download it: job job-1: "),
    ({"GIQ_MAX_RETRY": "0"}, Response(GEOJSON, cut=9), "incomplete",
     "or open again to download it: job job-1: "),
    ({}, Response({"message": "not you"}, 403), "credentials",
     "or open again to download it: job job-1: "),
    ({}, Response(b"<html></html>"), "result", "or open again to download it: job job-1: "),
    ({}, NO_RESULT, "gone",
     "or move the changed one away and open again: job job-1: "),
    ({}, Response({"message": "expired"}, 410), "gone",
     "or move the changed one away and open again: job job-1: "),
])
def test_file_of_another_size_that_cannot_be_downloaded_again_is_kept(
        scripted_gdal, service, spoil, options, env, response, tag, way_on):
    good = service.script["download"]
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    recorded = path.stat().st_size
    spoil(path)
    spoilt = path.read_bytes()
    before = scripted_gdal.records()
    service.script["download"] = good if response is None else [response]
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", *options, NAME, tag=tag, env=env)
        assert (f"GIQ[{tag}] the published file at {path} has {len(spoilt)} bytes, not "
                f"{recorded} as recorded, {KEPT}{way_on}") in text
        assert "RETRY" not in text and "rerun" not in text
        assert path.read_bytes() == spoilt
        assert scripted_gdal.records() == before
    service.script["download"] = good
    assert "Warning" in scripted_gdal.run("ogrinfo", *options, NAME).stderr
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    assert path.stat().st_size == recorded
    assert len(service.calls("run")) == 1


def test_file_of_another_size_that_is_moved_away_leaves_a_result_that_is_gone(
        scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    cut(path)
    good = service.script["download"]
    service.script["download"] = [NO_RESULT, NO_RESULT, NO_RESULT, *good]
    scripted_gdal.fails("ogrinfo", NAME, tag="gone")
    path.rename(scripted_gdal.folder / "kept.geojson")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="gone")
    assert "the service no longer has the result of the job job-1" in text
    assert len(service.calls("run")) == 1
    scripted_gdal.run("ogrinfo", "-oo", "RETRY=a", NAME)
    assert len(service.calls("run")) == 2


def test_folder_in_place_of_a_result_that_is_gone_is_kept_while_it_holds_something(
        scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    make_folder(path)
    (path / "mine.txt").write_text("mine")
    service.script["download"] = [NO_RESULT]
    for options in ((), ("-oo", "RETRY=a")):
        text = scripted_gdal.fails("ogrinfo", *options, NAME, tag="gone")
        assert (f"the published result at {path} was changed, and is kept there; restore "
                "the recorded one, or move the changed one away and open again: "
                "job job-1: ") in text
        assert (path / "mine.txt").read_text() == "mine"
    [record] = scripted_gdal.records().values()
    assert record["state"] == "published"
    (path / "mine.txt").unlink()
    text = scripted_gdal.fails("ogrinfo", NAME, tag="gone")
    assert "the service no longer has the result of the job job-1" in text
    assert len(service.calls("run")) == 1


def obstruct_claim(gdal, response, generation):
    """Nothing can be published once the result is downloaded."""
    def give(_):
        [record] = gdal.store.glob("v1/*/job.json")
        record.with_name(f"published.{generation}").mkdir()
        return response
    return give


def test_result_that_cannot_be_published_is_removed_and_downloaded_again(scripted_gdal,
                                                                         service):
    [good] = service.script["download"]
    service.script["download"] = [obstruct_claim(scripted_gdal, good, 1), good]
    text = scripted_gdal.fails("ogrinfo", NAME, tag="store")
    assert "job job-1: " in text and "/published.1 is not a regular file" in text
    [folder] = scripted_gdal.store.glob("v1/*")
    assert list(folder.glob("result*")) == []
    [record] = scripted_gdal.records().values()
    assert record["state"] == "succeeded"
    (folder / "published.1").rmdir()
    assert "Warning" not in scripted_gdal.run("ogrinfo", NAME).stderr
    [path] = folder.glob("result*/*")
    assert path.read_bytes() == GEOJSON
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == ["models", "run", "status", "download", "download"]


def test_changed_result_is_kept_until_the_new_one_is_published(scripted_gdal, service):
    [good] = service.script["download"]
    service.script["download"] = [good, obstruct_claim(scripted_gdal, good, 2), good]
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    cut(path)
    text = scripted_gdal.fails("ogrinfo", NAME, tag="store")
    assert f"the published file at {path} has " in text and "/published.2 is not" in text
    assert path.read_bytes() == GEOJSON[:-1]
    (path.parents[1] / "published.2").rmdir()
    done = scripted_gdal.run("ogrinfo", NAME)
    assert done.stderr.count("Warning") == 1
    [again] = path.parents[1].glob("result*/*")
    assert again.read_bytes() == GEOJSON
    assert service.names() == ["models", "run", "status", *["download"] * 3]


def test_results_and_claims_are_named_in_the_record(scripted_gdal):
    scripted_gdal.run("ogrinfo", NAME)
    for generation in (1, 2):
        scripted_gdal.run("ogrinfo", NAME)
        [record] = scripted_gdal.records().values()
        [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
        assert record["result"] == {"name": path.name, "size": len(GEOJSON),
                                    "folder": path.parent.name, "generation": generation}
        claim = json.loads((path.parents[1] / f"published.{generation}").read_text())
        summary = claim.pop("summary")
        assert claim == {"format": 1, "job_id": "job-1", "name": path.name,
                         "size": len(GEOJSON), "folder": path.parent.name}
        assert record["summary"] == {**summary, "job_id": "job-1", "size": len(GEOJSON)}
        path.unlink()
        path.parent.rmdir()


def leave_old(folder, age):
    """What a killed process left, `age` seconds ago."""
    token = "0123456789abcdef0123456789abcdef"
    (folder / f"result.new.{token}").mkdir()
    (folder / f"result.{token}").mkdir()
    left = [folder / name for name in (
        f"result.part.{token}", f"result.new.{token}/r.tif", f"result.{token}/r.tif",
        f"job.json.{token}.tmp")]
    for path in left:
        path.write_text("left")
    for path in [*left, folder / f"result.new.{token}", folder / f"result.{token}"]:
        os.utime(path, (time.time() - age,) * 2)
    return left


@pytest.mark.parametrize("age,is_kept", [(595, True), (605, False)])
def test_leftovers_are_removed_after_ten_minutes_by_the_next_download(
        scripted_gdal, service, age, is_kept):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    left = leave_old(path.parents[1], age)
    scripted_gdal.run("ogrinfo", NAME)
    assert [entry.exists() for entry in left] == [True] * 4
    path.unlink()
    path.parent.rmdir()
    scripted_gdal.run("ogrinfo", NAME)
    assert [entry.exists() for entry in left] == [is_kept] * 4
    assert len(service.calls("download")) == 2


def test_damaged_record_is_an_error_that_names_the_file(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob("v1/*/job.json")
    path.write_text("{\"format\":1,")
    text = scripted_gdal.fails("ogrinfo", NAME, tag="store")
    assert "job.json" in text
    assert len(service.calls("run")) == 1


def test_submit_no_says_that_nothing_is_recorded(scripted_gdal, service):
    text = scripted_gdal.fails("ogrinfo", "-oo", "SUBMIT=NO", NAME, tag="usage")
    assert "SUBMIT=NO does not start one; omit SUBMIT=NO to start one" in text
    assert service.calls() == []
    assert not scripted_gdal.records()
