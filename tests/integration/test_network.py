"""What GDAL users set for every network driver, and how far it goes."""
import base64
import os
import socket
import stat

import pytest

import secret_search
from programs import PUBLISHED
from scripted import MODELS, Response, ScriptedService

NAME = "GIQ:model=m;file=f"


@pytest.fixture
def other_host(started):
    """Another host's server, to which a download is redirected."""
    return started(ScriptedService())


def redirect_to(service, other_host, host="localhost"):
    other_host.script["signed"] = service.script["download"]
    service.script["download"] = [Response(b"", 302, {
        "Location": f"http://{host}:{other_host.port}/signed"
                    f"?signature={secret_search.SIGNATURE}"})]


@pytest.mark.parametrize("status,tag", [(404, "gone"), (410, "gone"), (403, "service"),
                                        (401, "service")])
def test_refusal_of_another_host_is_no_word_of_the_service(scripted_gdal, service, other_host,
                                                           status, tag):
    """A presigned address may be too old, or its host behind: the service makes another."""
    redirect_to(service, other_host)
    result = other_host.script["signed"]
    other_host.script["signed"] = [Response(b"too late", status), *result]
    scripted_gdal.run("ogrinfo", NAME)
    assert len(service.calls("run")) == 1
    assert len(service.calls("download")) == len(other_host.calls("signed")) == 2
    other_host.script["signed"] = [Response(b"too late", status)]
    text = scripted_gdal.fails("ogrinfo", f"{NAME};rerun=again", tag=tag,
                               env={"GIQ_MAX_RETRY": "1"})
    assert "GIQ_API_KEY" not in text
    assert len(other_host.calls("signed")) == 4
    # One address is not believed: what was paid for is still there.
    name = f"{NAME};rerun=once"
    scripted_gdal.fails("ogrinfo", name, tag="service", env={"GIQ_MAX_RETRY": "0"})
    other_host.script["signed"] = result
    scripted_gdal.run("ogrinfo", name)
    assert len(service.calls("run")) == 3


def headers_of(service, call):
    return service.calls(call)[0]["headers"]


@pytest.mark.parametrize("text", ["X-Team: maps,Cookie: a=b",
                                  "X-Team: maps\r\nCookie: a=b\r\n",
                                  '"X-Team: maps",Cookie: a=b'])
def test_headers_go_to_the_service_and_nowhere_else(scripted_gdal, service, other_host,
                                                    text):
    redirect_to(service, other_host)
    scripted_gdal.run("ogrinfo", NAME, env={"GDAL_HTTP_HEADERS": text})
    for call in ("models", "run", "status", "download"):
        headers = headers_of(service, call)
        assert (headers["x-team"], headers["cookie"]) == ("maps", "a=b")
    assert not {"x-team", "cookie", "x-api-key"} & set(headers_of(other_host, "signed"))


def test_our_own_headers_win(scripted_gdal, service):
    scripted_gdal.run("ogrinfo", NAME, env={
        "GDAL_HTTP_HEADERS": "X-API-KEY: other,Accept: text/html,Content-Length: 3,"
                             "Authorization: Basic abc"})
    headers = headers_of(service, "run")
    assert headers["x-api-key"] == secret_search.KEY
    assert headers["accept"] == "application/json"
    assert headers["authorization"] == "Basic abc"
    assert len(service.calls("run")[0]["body"]) == int(headers["content-length"]) > 3


def test_bearer_token_wins_over_headers_and_netrc(scripted_gdal, service):
    netrc(scripted_gdal)
    scripted_gdal.run("ogrinfo", "GIQ:", env={
        "GIQ_BEARER_TOKEN": "the-token", "GDAL_HTTP_HEADERS": "Authorization: Basic abc"})
    assert headers_of(service, "models")["authorization"] == "Bearer the-token"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_header_file(scripted_gdal, service, mark):
    path = scripted_gdal.folder / "headers.txt"
    path.write_bytes(mark + b"X-Team: maps\r\nCookie: a=b\n\n")
    scripted_gdal.run("ogrinfo", "GIQ:", env={"GDAL_HTTP_HEADER_FILE": str(path)})
    assert headers_of(service, "models")["x-team"] == "maps"
    assert headers_of(service, "models")["cookie"] == "a=b"


def test_header_file_that_is_none_says_nothing_where_none_is_needed(scripted_gdal):
    scripted_gdal.run("ogrinfo", NAME)
    missing = str(scripted_gdal.folder / "none")
    done = scripted_gdal.run("ogrinfo", NAME, env={"GDAL_HTTP_HEADER_FILE": missing})
    assert done.stderr == ""
    large = scripted_gdal.folder / "large"
    large.write_text("X: " + "y" * 70000)
    done = scripted_gdal.run("ogrinfo", NAME, env={"GDAL_HTTP_HEADER_FILE": str(large)})
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["GDAL_HTTP_LOW_SPEED_TIME", "GDAL_HTTP_LOW_SPEED_LIMIT"])
def test_what_is_off_for_other_drivers_is_the_default_here(scripted_gdal, service, name):
    scripted_gdal.run("ogrinfo", NAME, env={name: "0"})
    scripted_gdal.fails("ogrinfo", NAME, tag="usage", env={name: "none"})


@pytest.mark.parametrize("make", [
    lambda path: None, lambda path: path.mkdir(), lambda path: os.mkfifo(path),
    lambda path: path.write_text("X: " + "y" * 70000),
    lambda path: path.write_text("X-Team: maps", "utf-16")])
def test_header_file_that_is_none_ends_the_open_before_a_request(scripted_gdal, service,
                                                                 make):
    path = scripted_gdal.folder / "headers.txt"
    make(path)
    text = scripted_gdal.fails("ogrinfo", NAME, tag="credentials",
                               env={"GDAL_HTTP_HEADER_FILE": str(path)})
    assert "the file of GDAL_HTTP_HEADER_FILE must be a readable text file on disk" in text
    assert service.names() == []


def netrc(gdal, text="machine 127.0.0.1 login me password p4ssword\n"
                     "machine localhost login me password p4ssword\n"):
    path = secret_search.is_input(gdal.folder / ".netrc")
    path.write_text(text)
    secret_search.know("p4ssword")
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_netrc_is_for_the_service_alone(scripted_gdal, service, other_host):
    netrc(scripted_gdal)
    # The host is the same, the port is not: libcurl alone would send it there.
    redirect_to(service, other_host, "127.0.0.1")
    scripted_gdal.run("ogrinfo", NAME)
    assert headers_of(service, "run")["authorization"].startswith("Basic ")
    assert "authorization" not in headers_of(other_host, "signed")


def test_netrc_can_be_turned_off(scripted_gdal, service):
    netrc(scripted_gdal)
    scripted_gdal.run("ogrinfo", "GIQ:", env={"GDAL_HTTP_NETRC": "NO"})
    assert "authorization" not in headers_of(service, "models")


def test_netrc_is_read_where_gdal_is_configured(scripted_gdal, service, other_host):
    netrc(scripted_gdal, "machine 127.0.0.1 login me password of-h0me\n")
    other = secret_search.is_input(scripted_gdal.folder / "other")
    (scripted_gdal.folder / ".netrc").rename(other)
    netrc(scripted_gdal)
    redirect_to(service, other_host, "127.0.0.1")
    scripted_gdal.run("ogrinfo", NAME, env={"GDAL_HTTP_NETRC_FILE": str(other)})
    for call in ("models", "run", "status", "download"):
        sent = headers_of(service, call)["authorization"].removeprefix("Basic ")
        assert base64.b64decode(sent) == b"me:of-h0me"
    assert "authorization" not in headers_of(other_host, "signed")
    scripted_gdal.run("ogrinfo", "GIQ:", env={"GDAL_HTTP_NETRC_FILE": str(other),
                                              "GDAL_HTTP_NETRC": "NO"})
    assert "authorization" not in service.calls("models")[1]["headers"]


def test_netrc_of_one_service(scripted_gdal, service):
    netrc(scripted_gdal)
    other = secret_search.is_input(scripted_gdal.folder / "other")
    (scripted_gdal.folder / ".netrc").rename(other)
    path = secret_search.is_input(scripted_gdal.folder / "gdalrc")
    path.write_text(f"[credentials]\n[.giq]\npath={service.url}\n"
                    f"GDAL_HTTP_NETRC_FILE={other}\n")
    scripted_gdal.run("ogrinfo", "GIQ:", env={"GDAL_CONFIG_FILE": str(path)})
    assert headers_of(service, "models")["authorization"].startswith("Basic ")


def test_configuration_file_gives_each_service_its_own_key(scripted_gdal, service,
                                                           other_host):
    path = secret_search.is_input(scripted_gdal.folder / "gdalrc")
    path.write_text("[credentials]\n" + "".join(
        f"[.{name}]\npath={url}\nGIQ_API_KEY={key}\n" for name, url, key in
        (("one", service.url, "key-one"), ("two", other_host.url, "key-two"))))
    del scripted_gdal.env["GIQ_API_KEY"]
    secret_search.know("key-one", "key-two")
    for made, key in ((service, "key-one"), (other_host, "key-two")):
        # A slash at the end and the case of the host make no difference.
        scripted_gdal.run("ogrinfo", "GIQ:", env={"GDAL_CONFIG_FILE": str(path),
                                                  "GIQ_BASE_URL": made.url + "/"})
        assert headers_of(made, "models")["x-api-key"] == key


def test_store_of_a_service_goes_by_its_address_as_typed(scripted_gdal, service):
    url = f"http://LocalHost:{service.port}/public"
    store = scripted_gdal.folder / "another"
    path = secret_search.is_input(scripted_gdal.folder / "gdalrc")
    path.write_text(f"[credentials]\n[.giq]\npath={url}\n"
                    f"GIQ_STORE_DIR={store}\nGIQ_API_KEY={secret_search.KEY}\n")
    del scripted_gdal.env["GIQ_STORE_DIR"], scripted_gdal.env["GIQ_API_KEY"]
    scripted_gdal.run("ogrinfo", NAME, env={"GDAL_CONFIG_FILE": str(path),
                                            "GIQ_BASE_URL": url})
    assert list(store.glob("v1/*/job.json"))


class OverIPv6(ScriptedService):
    def __init__(self):
        super().__init__(host="::1", family=socket.AF_INET6)


def test_ipv6(scripted_gdal):
    service = OverIPv6()
    try:
        scripted_gdal.run("ogrinfo", NAME, env={"GIQ_BASE_URL": service.url})
        assert service.names() == ["models", "run", "status", "download"]
    finally:
        service.stop()


def test_verbose_log_shows_what_happens_and_no_secret(scripted_gdal, service, other_host):
    redirect_to(service, other_host)
    done = scripted_gdal.run("ogrinfo", NAME, env={
        "CPL_DEBUG": "ON", "CPL_CURL_VERBOSE": "YES", "GIQ_API_KEY": "k3y-abcdef",
        "GIQ_BEARER_TOKEN": "t0ken-abcdef", "GDAL_HTTP_HEADERS": "Cookie: c00kie"})
    text = done.stdout + done.stderr
    assert "GIQ: > GET /public/" in text
    assert "< HTTP/1.1 302 Found" in text and "> X-API-KEY" in text
    for secret in ("k3y-abcdef", "t0ken-abcdef", "c00kie", secret_search.SIGNATURE, "signed"):
        assert secret not in text


@pytest.mark.parametrize("target", [
    "ftp://localhost/signed", "http://user@localhost/signed", "http://[/signed",
    "http://localhost:1/signed", "http://nowhere.invalid/signed",
    "http://localhost:SERVICE/public/signed", "/public/signed", "//:/signed"])
def test_presigned_address_that_leads_nowhere_is_not_shown(scripted_gdal, service,
                                                           target):
    target = target.replace("SERVICE", str(service.port))
    service.script["download"] = [Response(b"", 302, {
        "Location": f"{target}?signature={secret_search.SIGNATURE}"})]
    scripted_gdal.fails("ogrinfo", NAME, env={
        "CPL_DEBUG": "ON", "CPL_CURL_VERBOSE": "YES", "GIQ_MAX_RETRY": "1"})


def test_service_that_repeats_secrets_is_not_repeated(scripted_gdal, service):
    words = "k3y-abcdef t0ken-abcdef c00kie p4ss"
    service.script["run"] = [Response({"message": words}, 400)]
    done = scripted_gdal.run("ogrinfo", NAME, ok=None, env={
        "CPL_DEBUG": "ON", "CPL_CURL_VERBOSE": "YES", "GIQ_API_KEY": "k3y-abcdef",
        "GIQ_BEARER_TOKEN": "t0ken-abcdef", "GDAL_HTTP_HEADERS": "X-C: Basic c00kie",
        "GDAL_HTTP_KEYPASSWD": "p4ss"})
    assert "GIQ[refused]" in done.stderr
    for secret in words.split():
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize("form", [
    f"=\"{secret_search.KEY}.geojson\"", f"*=UTF-8''of%20{secret_search.KEY}.geojson",
    f"*=UTF-8''{secret_search.KEY[:4]}%01{secret_search.KEY[4:]}.geojson"])
def test_key_in_the_name_of_the_result_is_masked_in_the_store(scripted_gdal, service,
                                                              form):
    service.script["download"][0].headers["Content-Disposition"] = (
        f"attachment; filename{form}")
    scripted_gdal.run("ogrinfo", NAME)
    scripted_gdal.run("ogrinfo", "-al", "GIQ:jobs")
    [path] = scripted_gdal.store.glob(f"v1/*/{PUBLISHED}/*")
    assert path.name.endswith("_" * len(secret_search.KEY) + ".geojson")


def test_key_in_a_name_of_the_service_is_masked_in_tables(scripted_gdal, service):
    service.script["models"] = [Response([{**MODELS[0], "name": "k3y-abcdef"}])]
    done = scripted_gdal.run("ogrinfo", "-al", "GIQ:", env={"GIQ_API_KEY": "k3y-abcdef"})
    assert "name (String) = **********" in done.stdout
    assert "k3y-abcdef" not in done.stdout
