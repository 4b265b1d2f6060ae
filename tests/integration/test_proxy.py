"""Proxies between the driver and the service: what they get to see, and that what they
refuse is never taken for the word of the service."""
import pytest

from nginx import Server, front_of
from programs import PUBLISHED, SCENE, Sandbox
from proxies import (NEEDS_NTLM, ChallengingProxy, Relay, ScriptedProxy, Silent,
                     Tinyproxy)
from scripted import Response, ScriptedService, job
from watched import COOKIE, KEY, LOGIN, PASSWORD, TOKEN, WatchedGdal

NAME = f"GIQ:model=water;file={SCENE}"
SCRIPTED = "GIQ:model=m;file=f"
NO_ENTRY = (b"HTTP/1.1 407 Proxy Authentication Required\r\n"
            b'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 2\r\n\r\nno')


@pytest.fixture
def sandbox(tmp_path, started):
    return started(Sandbox(tmp_path / "sandbox", "--api-key", KEY))


@pytest.fixture
def plain(tmp_path, sandbox):
    """GDAL's programs that use the sandbox over http."""
    return WatchedGdal(tmp_path, sandbox.url)


@pytest.fixture
def secure(tmp_path, sandbox, nginx, authority):
    """GDAL's programs that use it over https."""
    return secured(tmp_path, sandbox.url, nginx, authority)


def secured(tmp_path, url, nginx, authority):
    server = Server(front_of(url), certificate=authority.sign("good"))
    nginx(server)
    return WatchedGdal(tmp_path, server.url, authority)


@pytest.fixture
def tinyproxy(tmp_path, started):
    return started(Tinyproxy(tmp_path / "tinyproxy"))


@pytest.fixture
def guarded(tmp_path, started):
    """One that wants the user me and the password."""
    return started(Tinyproxy(tmp_path / "tinyproxy", f"BasicAuth me {PASSWORD}"))


# ---- through a proxy ----

def test_http_goes_through_the_proxy(plain, sandbox, tinyproxy):
    plain.run("ogrinfo", NAME, env={"GDAL_HTTP_PROXY": tinyproxy.url})
    methods, addresses = zip(*tinyproxy.requests())
    assert len(addresses) == len(sandbox.calls())
    assert all(address.startswith(sandbox.url) for address in addresses)
    assert methods.count("POST") == len(sandbox.runs()) == 1


@pytest.mark.parametrize("option", ["GDAL_HTTPS_PROXY", "GDAL_HTTP_PROXY", "https_proxy"])
def test_https_goes_through_a_tunnel(secure, sandbox, tinyproxy, option):
    secure.run("ogrinfo", NAME, env={option: tinyproxy.url})
    host = secure.env["GIQ_BASE_URL"].split("/")[2]
    # The run request has a connection of its own.
    assert tinyproxy.requests() == [("CONNECT", host)] * 2
    assert len(sandbox.runs()) == 1


def test_https_proxy_is_for_https_alone(plain, secure, sandbox, tinyproxy):
    nowhere = "http://127.0.0.1:1"
    plain.run("ogrinfo", "GIQ:models", env={"GDAL_HTTPS_PROXY": nowhere})
    secure.run("ogrinfo", "GIQ:models", env={"GDAL_HTTPS_PROXY": tinyproxy.url,
                                             "GDAL_HTTP_PROXY": nowhere})
    assert sandbox.calls() == ["models", "models"] and len(tinyproxy.requests()) == 1


def test_proxy_of_a_tunnel_sees_no_secret(secure, sandbox, started):
    proxy = started(ScriptedProxy())
    secure.run("ogrinfo", NAME, env={
        "GDAL_HTTPS_PROXY": proxy.url, "GIQ_BEARER_TOKEN": TOKEN,
        "GDAL_HTTP_HEADERS": f"Cookie: {COOKIE},X-Team: maps"})
    assert len(proxy.heads) == 2 and len(sandbox.runs()) == 1
    for head in proxy.heads:
        names = {line.split(":")[0] for line in head.splitlines()[1:] if line}
        assert names == {"Host", "User-Agent", "Proxy-Connection"}, head


# ---- credentials of the proxy ----

@pytest.mark.parametrize("kind", [None, "BASIC", "ANY"])
@pytest.mark.parametrize("client,option", [("plain", "GDAL_HTTP_PROXY"),
                                           ("secure", "GDAL_HTTPS_PROXY")])
def test_proxy_gets_its_credentials(request, sandbox, guarded, client, option, kind):
    gdal = request.getfixturevalue(client)
    gdal.env.update({option: guarded.url, "GDAL_HTTP_PROXYUSERPWD": LOGIN})
    if kind is not None:
        gdal.env["GDAL_PROXY_AUTH"] = kind
    if (kind, client) == ("ANY", "plain"):
        # Tinyproxy asks for credentials in HTTP/1.0, and libcurl goes on in it.
        gdal.env["GIQ_ALLOW_UNVERIFIED_LENGTH"] = "YES"
    gdal.run("ogrinfo", "-oo", "RETRY=label", NAME)
    assert len(sandbox.runs()) == 1
    assert PASSWORD not in guarded.log() and KEY not in guarded.log()


@pytest.mark.parametrize("kind", ["DIGEST", "ANY"])
def test_proxy_that_asks_for_a_digest_gets_one(tmp_path, started, kind):
    proxy = started(ScriptedService())
    asks = Response(b"", 407, {"Proxy-Authenticate": 'Digest realm="x", nonce="abc", '
                                                   'qop="auth", algorithm=MD5'})
    for call, (response,) in proxy.script.items():
        proxy.script[call] = [lambda seen, response=response: response if "username" in
                              seen["headers"].get("proxy-authorization", "") else asks]
    gdal = WatchedGdal(tmp_path, "http://127.0.0.1:1/public")
    gdal.run("ogrinfo", "-oo", "RETRY=label", SCRIPTED, env={
        "GDAL_HTTP_PROXY": f"http://127.0.0.1:{proxy.port}",
        "GDAL_HTTP_PROXYUSERPWD": LOGIN, "GDAL_PROXY_AUTH": kind})
    runs = [PASSWORD in str(seen["headers"]) for seen in proxy.calls("run")
            if "proxy-authorization" in seen["headers"]]
    assert runs == [False]


@pytest.mark.parametrize("kind,auth", [("digest", "DIGEST"), ("digest", "ANY"),
                                       ("digest", "ANYSAFE"),
                                       pytest.param("ntlm", "NTLM", marks=NEEDS_NTLM),
                                       pytest.param("ntlm", "ANY", marks=NEEDS_NTLM)])
def test_run_request_goes_out_once_through_a_proxy_that_challenges(tmp_path, service,
                                                                   started, kind, auth):
    """After a 407 libcurl took an idle connection, and sent the run request again when
    that died."""
    proxy = started(ChallengingProxy(kind, service.port))
    service.script["download"][0].chunked = False
    gdal = WatchedGdal(tmp_path, service.url)
    gdal.env.update(GDAL_HTTP_PROXY=proxy.url, GDAL_HTTP_PROXYUSERPWD=LOGIN,
                    GDAL_PROXY_AUTH=auth)
    gdal.fails("ogrinfo", SCRIPTED, tag="unknown")
    assert [seen["call"] for seen in service.calls() if seen["body"]] == ["run"]
    gdal.fails("ogrinfo", SCRIPTED, tag="unknown")
    assert len(service.calls("run")) == proxy.posts == 1


@pytest.mark.parametrize("option", ["GDAL_HTTPS_PROXY", "https_proxy", "all_proxy"])
def test_credentials_in_the_address_of_the_proxy(secure, sandbox, guarded, option):
    escaped = PASSWORD.replace("-", "%2D")
    done = secure.run("ogrinfo", NAME, env={
        option: guarded.url.replace("://", f"://me:{escaped}@")})
    assert escaped not in done.stdout + done.stderr
    assert len(sandbox.runs()) == 1


@pytest.mark.parametrize("kind", ["BASIC", "ANY"])
def test_wrong_credentials_at_the_tunnel_are_the_word_of_the_proxy(secure, sandbox,
                                                                   guarded, kind):
    text = secure.fails("ogrinfo", NAME, tag="network", env={
        "GDAL_HTTPS_PROXY": guarded.url, "GDAL_HTTP_PROXYUSERPWD": LOGIN + "-not",
        "GDAL_PROXY_AUTH": kind})
    assert "the proxy refused" in text and "GDAL_HTTP_PROXYUSERPWD" in text
    assert "GIQ_API_KEY" not in text
    assert secure.records() == {} and sandbox.journal() == []


def test_wrong_credentials_on_plain_http(plain, sandbox, guarded):
    """Tinyproxy before 1.11.3 answers 401, as a service would: both are named."""
    text = plain.fails("ogrinfo", NAME, env={
        "GDAL_HTTP_PROXY": guarded.url, "GDAL_HTTP_PROXYUSERPWD": LOGIN + "-not"})
    assert "GDAL_HTTP_PROXYUSERPWD" in text
    assert "HTTP 407" in text or ("GIQ[credentials]" in text and "GIQ_API_KEY" in text)
    assert plain.records() == {} and sandbox.journal() == []


def test_missing_credentials_on_plain_http_are_the_word_of_the_proxy(plain, sandbox,
                                                                     guarded):
    text = plain.fails("ogrinfo", NAME, tag="network", env={
        "GDAL_HTTP_PROXY": guarded.url})
    assert "HTTP 407" in text and "GDAL_HTTP_PROXYUSERPWD" in text
    assert plain.records() == {} and sandbox.journal() == []


@pytest.mark.parametrize("call", ["run", "status", "download"])
def test_proxy_that_refuses_one_request(tmp_path, started, call):
    """The scripted service is the proxy here: it gets whole addresses."""
    proxy = started(ScriptedService())
    proxy.script[call] = [Response({"message": f"no {LOGIN}"}, 407, {
        "Proxy-Authenticate": 'Basic realm="x"'}), *proxy.script[call]]
    gdal = WatchedGdal(tmp_path, "http://127.0.0.1:1/public")
    gdal.env.update(GDAL_HTTP_PROXY=f"http://127.0.0.1:{proxy.port}",
                    GDAL_HTTP_PROXYUSERPWD=LOGIN)
    text = gdal.fails("ogrinfo", SCRIPTED, tag="network")
    assert "HTTP 407 no me:****" in text and "GDAL_HTTP_PROXYUSERPWD" in text
    assert "the service refused" not in text
    assert len(proxy.calls(call)) == 1 and (gdal.records() == {}) == (call == "run")
    gdal.run("ogrinfo", SCRIPTED)
    assert len(proxy.calls("run")) == (2 if call == "run" else 1)


def test_login_that_a_proxy_repeats_is_masked(tmp_path, started):
    proxy = started(ScriptedService())
    escaped = f"me:{PASSWORD.replace('-', '%2D')}"
    gdal = WatchedGdal(tmp_path, "http://127.0.0.1:1/public")
    gdal.env["GDAL_HTTP_PROXY"] = f"http://{escaped}@127.0.0.1:{proxy.port}"

    def repeat(seen):
        sent = seen["headers"]["proxy-authorization"]
        return Response({"message": f"bad: {sent} ({LOGIN}, {escaped})"}, 400)

    proxy.script["run"] = [repeat]
    text = gdal.fails("ogrinfo", SCRIPTED, tag="refused")
    assert "bad: Basic ****" in text and escaped not in text


# ---- refusals of a tunnel ----

def test_proxy_that_refuses_the_run_request_is_nothing_happened(secure, sandbox, started):
    proxy = started(ScriptedProxy(None, NO_ENTRY, None))
    secure.env["GDAL_HTTPS_PROXY"] = proxy.url
    text = secure.fails("ogrinfo", NAME, tag="network")
    assert "the proxy refused" in text and "HTTP 407" in text
    assert sandbox.calls() == ["models"] and secure.records() == {}
    secure.run("ogrinfo", NAME)
    assert len(sandbox.runs()) == 1


@pytest.mark.parametrize("said", [
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", b"",
    b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\n\r\n", b"nonsense\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"],
    ids=["refused", "closed", "redirect", "nonsense", "response"])
def test_tunnel_that_is_none_is_nothing_happened(secure, sandbox, started, said):
    proxy = started(ScriptedProxy(None, said, None))
    secure.env["GDAL_HTTPS_PROXY"] = proxy.url
    secure.fails("ogrinfo", NAME, tag="network")
    assert sandbox.calls() == ["models"] and secure.records() == {}
    assert len(proxy.heads) == 2
    secure.run("ogrinfo", NAME)
    assert len(sandbox.runs()) == 1


def test_silent_proxy_is_nothing_happened(secure, sandbox, started):
    tunnel = started(ScriptedProxy())
    relay = started(Relay(tunnel.port, started(Silent()).port, tunnel.port))
    secure.env["GDAL_HTTPS_PROXY"] = relay.url
    secure.fails("ogrinfo", NAME, tag="network", env={"GIQ_CONNECT_TIMEOUT": "2"})
    assert sandbox.calls() == ["models"] and secure.records() == {}
    secure.run("ogrinfo", NAME)
    assert len(sandbox.runs()) == 1


@pytest.mark.parametrize("said,connections", [
    (NO_ENTRY, 1), (b"HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n", 1),
    (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 3)], ids=["407", "403", "503"])
def test_only_what_may_pass_is_tried_again(secure, sandbox, started, said, connections):
    proxy = started(ScriptedProxy(said))
    secure.env["GDAL_HTTPS_PROXY"] = proxy.url
    text = secure.fails("ogrinfo", NAME, tag="network", env={"GIQ_MAX_RETRY": "2"})
    assert "the proxy refused to connect to 127.0.0.1: HTTP" in text
    assert proxy.connections == connections
    assert sandbox.journal() == [] and secure.records() == {}


def test_retry_after_of_a_proxy_is_not_the_service_s(secure, sandbox, started):
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 5000\r\nContent-Length: 0\r\n\r\n"
    proxy = started(ScriptedProxy(busy, None))
    secure.run("ogrinfo", NAME, env={"GDAL_HTTPS_PROXY": proxy.url})
    assert sandbox.calls()[:2] == ["models", "run"] and len(sandbox.runs()) == 1


def test_headers_of_a_tunnel_are_not_the_service_s(tmp_path, service, nginx, authority,
                                                   started):
    proxy = started(ScriptedProxy(established=(
        b"HTTP/1.1 200 Connection established\r\n"
        b"Content-Disposition: attachment; filename=proxy.csv\r\n"
        b'Content-Encoding: gzip\r\nETag: "proxy"\r\nX-Long: ' + b"x" * 8000
        + b"\r\n\r\n")))
    service.script["download"][0].headers.clear()
    gdal = secured(tmp_path, service.url, nginx, authority)
    gdal.run("ogrinfo", SCRIPTED, env={"GDAL_HTTPS_PROXY": proxy.url})
    assert [path.name for path in gdal.store.glob(f"v1/*/{PUBLISHED}/*")] == ["result.geojson"]


def test_proxy_that_refuses_while_waiting_leaves_the_record(tmp_path, service, nginx,
                                                            authority, started):
    service.script["status"] = [Response(job("RUNNING"))]
    gdal = secured(tmp_path, service.url, nginx, authority)
    gdal.run("ogrinfo", "-oo", "WAIT=NO", SCRIPTED)
    before = gdal.records()
    proxy = started(ScriptedProxy(NO_ENTRY))
    text = gdal.fails("ogrinfo", SCRIPTED, tag="network", env={
        "GDAL_HTTPS_PROXY": proxy.url})
    assert "job job-1" in text and "the proxy refused" in text
    assert gdal.records() == before and proxy.connections == 1


# ---- proxies that are not there ----

@pytest.mark.parametrize("client,option", [("plain", "GDAL_HTTP_PROXY"),
                                           ("secure", "GDAL_HTTPS_PROXY")])
def test_proxy_that_is_down_is_named(request, sandbox, started, client, option):
    gdal = request.getfixturevalue(client)
    gone = ScriptedProxy()
    gone.stop()
    text = gdal.fails("ogrinfo", NAME, tag="network", env={
        option: f"http://{LOGIN}@127.0.0.1:{gone.port}"})
    # Later libcurls name the host of the proxy without its port.
    assert f"port {gone.port}" in text or "over proxy 127.0.0.1 " in text
    assert gdal.records() == {} and sandbox.journal() == []


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "gopher://127.0.0.1:1",
                                     "http://[::1", "http://127.0.0.1:1/?a b"])
@pytest.mark.parametrize("option", ["GDAL_HTTPS_PROXY", "https_proxy"])
def test_address_of_a_proxy_that_cannot_be_read_shows_no_password(secure, sandbox, option,
                                                                  address):
    scheme, _, rest = address.rpartition("://")
    with_login = f"{scheme}://{LOGIN}@{rest}" if scheme else f"{LOGIN}@{rest}"
    secure.fails("ogrinfo", NAME, tag="network", env={option: with_login})
    assert secure.records() == {} and sandbox.journal() == []
