"""The four calls: what is sent, what responses are taken, what is tried again."""
import re

import pytest

import secret_search
from programs import PUBLISHED
from scripted import Response, GEOJSON, MODELS, job

NAME = "GIQ:model=m;file=f"


def test_calls_are_made_once_each_and_in_order(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == ["models", "run", "status", "download"]
    paths = [s["path"] for s in service.calls()]
    assert paths == ["/public/inference/models", "/public/inference/run",
                     "/public/inference/status?inferenceId=job-1",
                     "/public/inference/download?inferenceJobId=job-1"]
    for seen in service.calls():
        assert seen["headers"]["x-api-key"] == secret_search.KEY
        assert "authorization" not in seen["headers"]
        assert re.fullmatch(r"gdal-giq/\d+\.\d+\.\d+", seen["headers"]["user-agent"])
    assert service.calls("download")[0]["headers"]["accept-encoding"] == "identity"


def test_both_credentials_are_sent_where_both_are_set(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", "GIQ:models", env={"GIQ_BEARER_TOKEN": "t0ken-of-m1ne"})
    headers = service.calls()[0]["headers"]
    assert headers["x-api-key"] == secret_search.KEY
    assert headers["authorization"] == "Bearer t0ken-of-m1ne"


def test_key_comes_from_a_file(scripted_gdal, service):
    path = secret_search.is_input(scripted_gdal.folder / "key")
    path.write_text(f"{secret_search.KEY}\nsecond line\n")
    path.chmod(0o600)
    done = scripted_gdal.run("ogrinfo", "GIQ:models",
                             env={"GIQ_API_KEY": "", "GIQ_API_KEY_FILE": str(path)})
    assert service.calls()[0]["headers"]["x-api-key"] == secret_search.KEY
    assert "other users can read" not in done.stderr
    path.chmod(0o644)
    done = scripted_gdal.run("ogrinfo", "GIQ:models",
                             env={"GIQ_API_KEY": "", "GIQ_API_KEY_FILE": str(path)})
    assert "GIQ: other users can read the file of GIQ_API_KEY_FILE" in done.stderr


@pytest.mark.parametrize("before,after", [(b"\xef\xbb\xbf", b"\r\n"), (b"", b"\r\n")])
def test_key_file_of_an_editor_on_windows_is_read(scripted_gdal, service, before, after):
    path = secret_search.is_input(scripted_gdal.folder / "key")
    path.write_bytes(before + secret_search.KEY.encode() + after)
    path.chmod(0o600)
    scripted_gdal.run("ogrinfo", "GIQ:models",
                      env={"GIQ_API_KEY": "", "GIQ_API_KEY_FILE": str(path)})
    assert service.calls()[0]["headers"]["x-api-key"] == secret_search.KEY


@pytest.mark.parametrize("content,words", [
    (b"\xff\xfe" + f"{secret_search.KEY}\r\n".encode("utf-16-le"), "UTF-16"),
    (f'"{secret_search.KEY}"\n'.encode(), "begins or ends with a quote"),
    (f"GIQ_API_KEY={secret_search.KEY}\n".encode(), 'the name "GIQ_API_KEY" before it'),
    (f"export GIQ_API_KEY={secret_search.KEY}\n".encode(), 'the word "export" before it'),
    (f"{secret_search.KEY}\u00a0\n".encode(), "a character that is not ASCII at its byte 17"),
])
def test_wrong_key_of_a_file_is_told_and_never_sent(scripted_gdal, service, content, words):
    """It was sent, and the error said no more than 401."""
    path = secret_search.is_input(scripted_gdal.folder / "key")
    path.write_bytes(content)
    path.chmod(0o600)
    secret_search.know(secret_search.KEY)
    for name in ("GIQ:models", "GIQ:model=m;file=f"):
        text = scripted_gdal.fails("ogrinfo", name, tag="credentials",
                                   env={"GIQ_API_KEY": "", "GIQ_API_KEY_FILE": str(path)})
        assert words in text and "GIQ_API_KEY_FILE" in text
    assert service.calls() == []


@pytest.mark.parametrize("name", ["GIQ_API_KEY", "GIQ_BEARER_TOKEN"])
@pytest.mark.parametrize("value,words", [("s3cr3t-of-m1ne\u00a0", "not ASCII"),
                                         ('"s3cr3t-of-m1ne"', "begins or ends with a quote")])
def test_wrong_key_of_an_option_is_told_and_never_sent(scripted_gdal, service, name, value,
                                                       words):
    text = scripted_gdal.fails("ogrinfo", "GIQ:models", tag="credentials",
                               env={"GIQ_API_KEY": "", name: value})
    assert words in text and "s3cr3t" not in text
    assert service.calls() == []


def test_key_of_a_path_specific_option_is_sent(scripted_gdal, service):
    rc = secret_search.is_input(scripted_gdal.folder / "gdalrc")
    rc.write_text("[credentials]\n[.giq]\n"
                  f"path={service.url}\nGIQ_API_KEY={secret_search.KEY}\n")
    scripted_gdal.run("ogrinfo", "GIQ:models",
                      env={"GIQ_API_KEY": "", "GDAL_CONFIG_FILE": str(rc)})
    assert service.calls()[0]["headers"]["x-api-key"] == secret_search.KEY


def test_without_credentials_nothing_is_sent(scripted_gdal, service):
    text = scripted_gdal.fails("ogrinfo", NAME, tag="credentials",
                               env={"GIQ_API_KEY": ""})
    assert "GIQ_API_KEY" in text
    assert service.calls() == []


def test_user_agent_and_proxy_of_gdal_are_honoured(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", "GIQ:models",
                      env={"GDAL_HTTP_USERAGENT": "mine/1",
                           "GIQ_BASE_URL": "http://giq.test/public",
                           "GIQ_ALLOW_HTTP": "YES",
                           "GDAL_HTTP_PROXY": f"http://127.0.0.1:{service.port}"})
    seen = service.calls()[0]
    assert seen["path"] == "http://giq.test/public/inference/models"
    assert seen["headers"]["user-agent"] == "mine/1"


@pytest.mark.parametrize("models", [
    {"models": MODELS}, {"content": MODELS}, {"data": MODELS}, {"items": MODELS},
    {"results": MODELS}, {"data": {"models": MODELS}},
    [{"modelId": "m", "version": 2, "labels": [{"name": "a"}]}],
])
def test_list_of_models_is_read_in_every_form(scripted_gdal, service, models):
    service.script["models"] = [Response(models)]
    text = scripted_gdal.run("ogrinfo", "-al", "GIQ:models").stdout
    assert "id (String) = m" in text
    assert "labels (StringList) = (1:a)" in text


@pytest.mark.parametrize("run,asked", [
    ({"id": "a b/c"}, "a%20b%2Fc"),
    ({"id": 12345678901}, "12345678901"),
    ({"id": 9007199254740993}, "9007199254740993"),
    (b'{"id": 7267318936847360001, "status": "SUBMITTED"}', "7267318936847360001"),
    ({"data": {"id": "x"}}, "x"),
])
def test_id_of_the_job_is_taken_in_every_form(scripted_gdal, service, run, asked):
    service.script["run"] = [Response(run)]
    service.script["status"] = [Response({"status": "done"})]
    scripted_gdal.run("ogrinfo", NAME)
    assert service.calls("status")[0]["path"].endswith(f"?inferenceId={asked}")


@pytest.mark.parametrize("run", [
    {}, [], {"id": None}, {"id": ""}, b'{"id": 9.007199254740993e15}', {"id": "a\u0000b"},
    b"<html>", b"", b"{\"id\":",
])
def test_response_without_an_id_is_unknown_and_never_sent_again(scripted_gdal, service,
                                                              run):
    service.script["run"] = [Response(run)]
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", NAME, tag="unknown")
        assert "rerun=" in text
    assert len(service.calls("run")) == 1


@pytest.mark.parametrize("status", ["DONE", "completed", "Succeeded", "SUCCESS",
                                    "FINISHED", "Complete", "SUCCESSFUL"])
def test_every_word_for_success_counts(scripted_gdal, service, status):
    service.script["status"] = [Response(job(status))]
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names()[-1] == "download"


@pytest.mark.parametrize("status", ["FAILED", "error", "Cancelled", "ABORTED", "EXPIRED",
                                    "TIMED_OUT", "KILLED", "REJECTED", "denied"])
def test_every_word_for_failure_counts_and_is_remembered(scripted_gdal, service, status):
    service.script["status"] = [Response(job(status))]
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", NAME, tag="failed")
        assert "job-1" in text and status in text
    assert service.names() == ["models", "run", "status"]


def test_state_that_no_list_has_is_warned_of_once_and_waited_on(scripted_gdal, service):
    service.script["status"] = [Response(job("PONDERING")), Response(job("PONDERING")),
                                Response(job("DONE"))]
    done = scripted_gdal.run("ogrinfo", NAME)
    assert done.stderr.count("PONDERING") == 1
    assert service.names().count("status") == 3


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_get_is_tried_again(scripted_gdal, service, status):
    service.script["models"] = [Response(b"", status)] * 2 + [Response(MODELS)]
    service.script["download"].insert(0, Response(b"", status))
    scripted_gdal.run("ogrinfo", NAME)
    assert service.names() == ["models"] * 3 + ["run", "status", "download", "download"]


def test_get_is_tried_no_more_often_than_max_retry(scripted_gdal, service):
    service.script["models"] = [Response(b"busy", 503)]
    scripted_gdal.fails("ogrinfo", "-oo", "MAX_RETRY=2", "GIQ:models", tag="service")
    assert service.names() == ["models"] * 3


def test_retries_fall_back_to_those_of_gdal(scripted_gdal, service):
    service.script["models"] = [Response(b"busy", 503)]
    scripted_gdal.fails("ogrinfo", "GIQ:models", tag="service",
                        env={"GDAL_HTTP_MAX_RETRY": "1"})
    assert service.names() == ["models"] * 2


@pytest.mark.parametrize("status,tag", [(400, "refused"), (401, "credentials"),
                                        (403, "credentials"), (404, "refused"),
                                        (413, "refused"), (422, "refused")])
def test_refused_run_leaves_nothing_behind(scripted_gdal, service, status, tag):
    service.script["run"] = [Response({"message": "File not found"}, status)]
    for _ in range(2):
        text = scripted_gdal.fails("ogrinfo", NAME, tag=tag)
        assert "File not found" in text and str(status) in text
    # Nothing is recorded, so each open asks anew; nothing was paid for.
    assert scripted_gdal.records() == {}
    assert len(service.calls("run")) == 2


# The page of a cache in front of the service, and the words of a gateway: both are sent
# after the service has taken the request.
CACHE_PAGE = (b"<!DOCTYPE html><html><head><title>503 Backend fetch failed</title></head>"
              b"</html>")
LATER = {"Retry-After": "0", "Content-Type": "text/html; charset=utf-8"}


@pytest.mark.parametrize("words", [
    {"message": "out of credit"}, {"data": {"message": "out of credit"}},
    {"error": {"message": "out of credit"}}, {"error": "out of credit"}])
def test_words_of_the_service_are_shown_however_they_are_wrapped(scripted_gdal, service,
                                                                 words):
    service.script["run"] = [Response(words, 402), Response(job("SUBMITTED"))]
    service.script["status"] = [Response({**job("FAILED"), **words})]
    assert "out of credit" in scripted_gdal.fails("ogrinfo", NAME, tag="refused")
    assert "FAILED: out of credit" in scripted_gdal.fails("ogrinfo", NAME, tag="failed")
    assert len(service.calls("run")) == 2


@pytest.mark.parametrize("response", [
    Response(b"", 500), Response(b"", 502), Response(b"", 409), Response(b"", 408),
    Response(CACHE_PAGE, 503, LATER), Response({"message": "Busy"}, 503, {"Retry-After": "0"}),
    Response(drop=True), Response(job("SUBMITTED"), cut=5),
    Response(b"", 303, {"Location": "/public/inference/other"}),
])
def test_run_that_may_have_been_received_is_never_sent_again(scripted_gdal, service,
                                                             response):
    service.script["run"] = [response]
    for _ in range(2):
        scripted_gdal.fails("ogrinfo", NAME, tag="unknown")
    assert len(service.calls("run")) == 1


def test_models_are_looked_at_before_a_job_is_paid_for(scripted_gdal, service):
    service.script["models"] = [Response([{"id": "roads"}, {"id": "water"},
                                        {"id": "watershed"}, {"id": "zebra"}])]
    text = scripted_gdal.fails("ogrinfo", "GIQ:model=watr;file=f", tag="usage")
    assert "watr" in text and "water" in text
    assert service.names() == ["models"]


@pytest.mark.parametrize("models", [b"", b"nonsense", [], {"content": MODELS, "last": False},
                                    {"whatever": 1}])
def test_list_that_decides_nothing_stops_no_job(scripted_gdal, service, models):
    service.script["models"] = [Response(models)]
    scripted_gdal.run("ogrinfo", "GIQ:model=hidden;file=f")
    assert len(service.calls("run")) == 1


def test_run_is_not_sent_over_a_path_that_just_failed(scripted_gdal, service):
    service.script["models"] = [Response(drop=True)]
    text = scripted_gdal.fails("ogrinfo", "-oo", "MAX_RETRY=2", NAME, tag="network")
    assert "no job was started" in text
    assert service.names() == ["models"] * 3
    assert scripted_gdal.records() == {}
    service.script["models"] = [Response(b"[]", 200, {"X-Junk": "y" * 70000})]
    text = scripted_gdal.fails("ogrinfo", NAME, tag="network")
    assert "more than 65536 bytes of headers" in text
    assert service.names() == ["models"] * 4
    service.script["models"] = [Response(b"", 500)]
    scripted_gdal.run("ogrinfo", "-oo", "MAX_RETRY=0", NAME)
    assert len(service.calls("run")) == 1


def test_download_follows_a_redirect_without_the_key(scripted_gdal, service):
    other_host = type(service)()
    other_host.script["signed"] = service.script["download"]
    target = f"http://localhost:{other_host.port}/signed?signature={secret_search.SIGNATURE}"
    service.script["download"] = [Response(b"", 302, {"Location": target})]
    try:
        scripted_gdal.run("ogrinfo", "--debug", "on", NAME)
    finally:
        other_host.stop()
    assert [s["call"] for s in other_host.calls()] == ["signed"]
    assert "x-api-key" not in other_host.calls()[0]["headers"]


def test_result_is_what_the_service_sent(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME)
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    assert path.name == "result.geojson"
    assert path.read_bytes() == GEOJSON


def test_words_to_a_host_without_standard_streams_reach_no_connection(scripted_gdal,
                                                                      service):
    done = scripted_gdal.python("""
import os, sys
from osgeo import gdal
kept = os.dup(1)
for stream in range(3):
    os.close(stream)
found = gdal.OpenEx(sys.argv[1])
os.write(kept, str(found and found.GetLayer(0).GetFeatureCount()).encode())
os._exit(0)  # later Pythons fail at flushing what is closed
""", NAME, env={"CPL_DEBUG": "ON", "CPL_CURL_VERBOSE": "YES", "GIQ_PROGRESS": "YES"})
    assert done.stdout == "1"
    assert service.names() == ["models", "run", "status", "download"]
