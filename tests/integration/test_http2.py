"""HTTP/2 through nginx: every call of an open, and downloads whose end is proved by the
stream alone."""
import pytest

from nginx import Server, front_of
from programs import PUBLISHED, SCENE, Sandbox
from scripted import GEOJSON, Response, job
from watched import KEY, WatchedGdal

NAME = f"GIQ:model=water;file={SCENE}"
SCRIPTED = "GIQ:model=m;file=f"
# 40 features, so that a part of the file is many bytes.
LONG = GEOJSON.replace(b"]}}]}", b"]}}" + b"".join(
    b', {"type": "Feature", "properties": {"name": "%d"}, "geometry": null}' % i
    for i in range(39)) + b"]}")


@pytest.fixture
def sandbox(tmp_path, started):
    return started(Sandbox(tmp_path / "sandbox", "--api-key", KEY))


@pytest.fixture
def over_http2(tmp_path, nginx, authority):
    """Puts an nginx before a service: its log, and GDAL's programs that use it."""
    def make(url, *lines, secure=True):
        certificate = authority.sign("good") if secure else None
        server = Server(*lines, front_of(url), certificate=certificate, http2=True)
        return nginx(server), WatchedGdal(tmp_path, server.url, authority)
    return make


def calls(log):
    return [entry["uri"].rsplit("/", 1)[1] for entry in log.seen()]


def protocols(log):
    return {entry["protocol"] for entry in log.seen()}


def test_whole_life(sandbox, over_http2):
    log, gdal = over_http2(sandbox.url)
    assert len(gdal.layer(NAME)) > 0
    assert "Driver: GTiff" in gdal.run("gdalinfo", f"GIQ:model=ndvi;file={SCENE}").stdout
    assert "id (String) = water" in gdal.run("ogrinfo", "-al", "GIQ:models").stdout
    assert gdal.run("ogrinfo", "-al", "GIQ:jobs").stdout.count("state (String) = published") == 2
    gdal.run("ogrinfo", "-al", "-oo", "WAIT=NO", f"GIQ:model=contours;file={SCENE}")
    assert protocols(log) == {"HTTP/2.0"}
    assert calls(log).count("run") == len(sandbox.runs()) == 3
    # The results are streamed: only END_STREAM marks their end.
    downloads = [entry for entry in log.seen() if entry["uri"].endswith("download")]
    assert [entry["length"] for entry in downloads] == ["", ""]


def test_connections_that_the_server_ends_after_each_response(sandbox, over_http2):
    log, gdal = over_http2(sandbox.url, "keepalive_requests 1;")
    gdal.run("ogrinfo", NAME)
    assert protocols(log) == {"HTTP/2.0"} and len(sandbox.runs()) == 1


def test_cut_stream_is_never_published(tmp_path, started, over_http2):
    sandbox = started(Sandbox(tmp_path / "sandbox", "--api-key", KEY, "--fault",
                              "download:cut=5000@1-3"))
    log, gdal = over_http2(sandbox.url)
    gdal.env["GIQ_MAX_RETRY"] = "1"
    text = gdal.fails("ogrinfo", NAME, tag="incomplete")
    assert "job job-" in text and calls(log).count("download") == 2
    assert not list(gdal.store.glob(f"v1/*/{PUBLISHED}"))
    # The third try is cut, the fourth is whole.
    assert len(gdal.layer(NAME)) > 0
    assert calls(log).count("download") == 4 and len(sandbox.runs()) == 1


def test_cut_stream_goes_on_where_it_stopped(service, over_http2):
    cut = 1000
    headers = {"ETag": '"v1"', "Content-Disposition": "attachment; filename=r.geojson"}
    rest = {**headers, "Content-Range": f"bytes {cut}-{len(LONG) - 1}/{len(LONG)}"}
    service.script["download"] = [Response(LONG, headers=headers, cut=cut),
                                  Response(LONG[cut:], 206, headers=rest)]
    log, gdal = over_http2(service.url)
    assert len(gdal.layer(SCRIPTED)) == 40
    downloads = [entry for entry in log.seen() if entry["uri"].endswith("download")]
    assert [entry["range"] for entry in downloads] == ["", f"bytes={cut}-"]
    # The stream was reset, so the rest comes over HTTP/1.1.
    assert [entry["protocol"] for entry in downloads] == ["HTTP/2.0", "HTTP/1.1"]
    (result,) = gdal.store.glob(f"v1/*/{PUBLISHED}/r.geojson")
    assert result.read_bytes() == LONG


def test_stream_cut_before_its_first_byte_is_tried_again(service, over_http2):
    whole = service.script["download"]
    service.script["download"] = [Response(LONG, chunked=True, cut=0), *whole]
    _, gdal = over_http2(service.url)
    gdal.run("ogrinfo", SCRIPTED)
    assert service.names() == ["models", "run", "status", "download", "download"]


# What resets a stream of HTTP/2, and lets HTTP/1.1 through.
BROKEN = 'if ($server_protocol = "HTTP/2.0") { return 444; }'


def broken(call, url):
    return (f"location /public/inference/{call} "
            f"{{ {BROKEN} proxy_pass {url.removesuffix('/public')}; }}")


@pytest.mark.parametrize("call", ["models", "status", "download"])
def test_get_falls_back_to_http_1_1(service, over_http2, call):
    log, gdal = over_http2(service.url, broken(call, service.url))
    gdal.run("ogrinfo", SCRIPTED, env={"GIQ_MAX_RETRY": "0"})
    assert service.names() == ["models", "run", "status", "download"]
    seen = [(entry["uri"].rsplit("/", 1)[1], entry["protocol"]) for entry in log.seen()]
    # From the first stream that was reset on the session keeps to HTTP/1.1.
    at = seen.index((call, "HTTP/2.0"))
    assert {protocol for _, protocol in seen[:at + 1]} == {"HTTP/2.0"}
    assert seen[at + 1] == (call, "HTTP/1.1")
    assert {protocol for _, protocol in seen[at + 1:]} == {"HTTP/1.1"}


def test_run_request_that_http2_breaks_is_unknown_and_names_the_option(service, over_http2):
    log, gdal = over_http2(service.url, broken("run", service.url))
    for _ in range(2):
        assert "GDAL_HTTP_VERSION=1.1" in gdal.fails("ogrinfo", SCRIPTED, tag="unknown")
    assert calls(log) == ["models", "run"] and service.calls("run") == []


def test_upload_falls_back_to_http_1_1(service, over_http2, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a")
    log, gdal = over_http2(service.url, broken("upload", service.url).replace(
        "inference/", "file/"))
    gdal.run("ogrinfo", f"GIQ:model=m;upload={path}")
    assert service.names() == ["models", "upload", "run", "status", "download"]


def test_no_fallback_where_the_server_is_known_to_speak_http2(service, over_http2):
    log, gdal = over_http2(service.url, BROKEN, secure=False)
    gdal.fails("ogrinfo", "GIQ:models", tag="network", env={
        "GDAL_HTTP_VERSION": "2PRIOR_KNOWLEDGE", "GIQ_MAX_RETRY": "1"})
    assert [entry["protocol"] for entry in log.seen()] == ["HTTP/2.0", "HTTP/2.0"]


def test_run_request_whose_response_is_lost_is_unknown(tmp_path, started, over_http2):
    sandbox = started(Sandbox(tmp_path / "sandbox", "--api-key", KEY, "--fault",
                              "run:lost"))
    log, gdal = over_http2(sandbox.url)
    for _ in range(2):
        gdal.fails("ogrinfo", NAME, tag="unknown")
    assert calls(log).count("run") == len(sandbox.runs()) == 1


def test_run_request_whose_response_is_cut_is_unknown(service, over_http2):
    service.script["run"] = [Response(job("SUBMITTED"), chunked=True, cut=10)]
    log, gdal = over_http2(service.url)
    for _ in range(2):
        gdal.fails("ogrinfo", SCRIPTED, tag="unknown")
    assert calls(log).count("run") == len(service.calls("run")) == 1


@pytest.mark.parametrize("version,protocol", [
    (None, "HTTP/2.0"), ("2", "HTTP/2.0"), ("2.0", "HTTP/2.0"), ("2TLS", "HTTP/2.0"),
    ("1.1", "HTTP/1.1"), ("1.0", "HTTP/1.0")])
def test_version_is_chosen(service, over_http2, version, protocol):
    log, gdal = over_http2(service.url)
    chosen = {} if version is None else {"GDAL_HTTP_VERSION": version}
    gdal.run("ogrinfo", "GIQ:models", env=chosen)
    assert protocols(log) == {protocol}


def test_http2_without_tls_by_prior_knowledge(sandbox, over_http2):
    log, gdal = over_http2(sandbox.url, secure=False)
    gdal.run("ogrinfo", NAME, env={"GDAL_HTTP_VERSION": "2PRIOR_KNOWLEDGE"})
    assert protocols(log) == {"HTTP/2.0"} and len(sandbox.runs()) == 1


def test_stream_over_http_1_0_proves_nothing(sandbox, over_http2):
    log, gdal = over_http2(sandbox.url)
    gdal.env.update(GDAL_HTTP_VERSION="1.0", GIQ_MAX_RETRY="0")
    text = gdal.fails("ogrinfo", NAME, tag="incomplete")
    assert "GIQ_ALLOW_UNVERIFIED_LENGTH" in text
    gdal.run("ogrinfo", NAME, env={"GIQ_ALLOW_UNVERIFIED_LENGTH": "YES"})
    assert protocols(log) == {"HTTP/1.0"} and len(sandbox.runs()) == 1
