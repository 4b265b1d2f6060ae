"""https to nginx in front of the service: whom the driver trusts, what it shows whom."""
import socket
import ssl

import pytest

from certificates import openssl
from nginx import Server, front_of, moved
from programs import SCENE, Gdal, Sandbox
from proxies import Listener, Relay, Silent
from scripted import Response, job
from watched import COOKIE, KEY, PASSPHRASE, WatchedGdal

NAME = f"GIQ:model=water;file={SCENE}"


@pytest.fixture
def sandbox(tmp_path, started):
    return started(Sandbox(tmp_path / "sandbox", "--api-key", KEY))


@pytest.fixture
def front(sandbox):
    return front_of(sandbox.url)


@pytest.fixture(scope="module")
def certificates(authority):
    """One that is good, and those that are not, by what is wrong with them."""
    return {
        "good": authority.sign("good"),
        "expired": authority.sign("expired", days=0),
        "of another host": authority.sign("elsewhere", host="DNS:giq.example"),
        "self-signed": authority.self_signed("alone"),
    }


def watched(tmp_path, server, authority):
    return WatchedGdal(tmp_path, server.url, authority)


def nothing_happened(gdal, sandbox):
    return gdal.records() == {} and sandbox.journal() == []


# ---- whom the driver trusts ----

@pytest.mark.parametrize("option", ["CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_results_come_through(tmp_path, sandbox, front, nginx, authority, certificates,
                              option):
    server = Server(front, certificate=certificates["good"])
    log = nginx(server)
    gdal = WatchedGdal(tmp_path, server.url)
    gdal.env[option] = str(authority.path)
    (tmp_path / "direct").mkdir()
    direct = Gdal(tmp_path / "direct", sandbox.url)
    direct.env["GIQ_API_KEY"] = KEY

    assert gdal.layer(NAME) == direct.layer(NAME) != []
    raster = f"GIQ:model=ndvi;file={SCENE}"
    sums = [[line for line in made.run("gdalinfo", "-checksum", raster).stdout.split("\n")
             if "Checksum" in line or "Size is" in line] for made in (gdal, direct)]
    assert sums[0] == sums[1] and len(sums[0]) == 2
    assert len(sandbox.runs()) == 4
    assert {entry["tls"] for entry in log.seen()} == {"TLSv1.3"}


def test_folder_of_authorities_is_trusted(tmp_path, sandbox, front, nginx, authority,
                                          certificates):
    server = Server(front, certificate=certificates["good"])
    nginx(server)
    folder = tmp_path / "authorities"
    folder.mkdir()
    (folder / "ours.pem").write_bytes(authority.path.read_bytes())
    gdal = WatchedGdal(tmp_path, server.url)
    gdal.env["GDAL_HTTP_CAPATH"] = str(folder)
    gdal.fails("ogrinfo", NAME, tag="network")
    openssl("rehash", folder)
    gdal.run("ogrinfo", NAME)
    assert len(sandbox.runs()) == 1


@pytest.mark.parametrize("what,words", [
    ("expired", "certificate has expired"),
    ("of another host", "no alternative certificate subject name"),
    ("self-signed", "self-signed certificate"),
    ("good", "unable to get local issuer certificate"),
])
def test_certificate_that_is_not_trusted_ends_the_open_at_once(
        tmp_path, sandbox, front, nginx, authority, certificates, started, what, words):
    server = Server(front, certificate=certificates[what])
    nginx(server)
    relay = started(Relay(server.port))
    gdal = WatchedGdal(tmp_path, server.url.replace(str(server.port), str(relay.port)))
    if what != "good":
        gdal.env["CURL_CA_BUNDLE"] = str(authority.path)
    text = gdal.fails("ogrinfo", NAME, tag="network")
    assert "SSL" in text and words in text
    assert nothing_happened(gdal, sandbox) and relay.connections == 1


@pytest.mark.parametrize("what", ["expired", "of another host", "self-signed", "good"])
def test_unsafessl_takes_any_certificate(tmp_path, sandbox, front, nginx, certificates,
                                         what):
    server = Server(front, certificate=certificates[what])
    nginx(server)
    gdal = WatchedGdal(tmp_path, server.url)
    gdal.run("ogrinfo", NAME, env={"GDAL_HTTP_UNSAFESSL": "YES"})
    assert len(sandbox.runs()) == 1
    # What is recorded needs no connection.
    gdal.run("ogrinfo", NAME)


def test_authority_that_is_no_file_ends_the_open(tmp_path, sandbox, front, nginx,
                                                 certificates):
    server = Server(front, certificate=certificates["good"])
    nginx(server)
    gdal = WatchedGdal(tmp_path, server.url)
    gdal.env["CURL_CA_BUNDLE"] = str(tmp_path / "nowhere.pem")
    assert "nowhere.pem" in gdal.fails("ogrinfo", NAME, tag="network")
    assert nothing_happened(gdal, sandbox)


# ---- the run request ----

@pytest.mark.parametrize("how", ["expired", "closed", "no TLS", "silent"])
def test_tls_that_fails_before_the_run_request_is_nothing_happened(
        tmp_path, sandbox, front, nginx, authority, certificates, started, how):
    good = Server(front, certificate=certificates["good"])
    bad = Server(front, certificate=certificates["expired"])
    nginx(good, bad)
    plain_port = int(sandbox.url.split(":")[2].split("/")[0])
    second = {"expired": bad.port, "closed": None, "no TLS": plain_port,
              "silent": started(Silent()).port}[how]
    relay = started(Relay(good.port, second, good.port))
    gdal = WatchedGdal(tmp_path, f"https://127.0.0.1:{relay.port}/public", authority)
    gdal.fails("ogrinfo", NAME, tag="network", env={"GIQ_CONNECT_TIMEOUT": "2"})
    assert sandbox.calls() == ["models"]
    assert gdal.records() == {} and relay.connections == 2
    gdal.run("ogrinfo", NAME)
    assert len(sandbox.runs()) == 1


def test_bad_certificate_while_waiting_leaves_the_record(
        tmp_path, sandbox, front, nginx, authority, certificates, started):
    good = Server(front, certificate=certificates["good"])
    bad = Server(front, certificate=certificates["expired"])
    nginx(good, bad)
    relay = started(Relay(good.port, good.port, bad.port, good.port))
    gdal = WatchedGdal(tmp_path, f"https://127.0.0.1:{relay.port}/public", authority)
    gdal.run("ogrinfo", "-oo", "WAIT=NO", NAME)
    before = gdal.records()
    text = gdal.fails("ogrinfo", NAME, tag="network")
    assert "certificate has expired" in text and "job job-" in text
    assert gdal.records() == before and relay.connections == 3
    gdal.run("ogrinfo", NAME)
    assert len(sandbox.runs()) == 1


# ---- client certificates ----

@pytest.fixture
def strict(front, authority, certificates):
    """A server that wants a client certificate of the authority."""
    return Server("ssl_verify_client on;", f"ssl_client_certificate {authority.path};",
                  front, certificate=certificates["good"])


@pytest.fixture(scope="module")
def client(authority):
    """What a user sets to show a client certificate."""
    made = authority.sign("a-client", passphrase=PASSPHRASE)
    return {"GDAL_HTTP_SSLCERT": str(made.path), "GDAL_HTTP_SSLKEY": str(made.key),
            "GDAL_HTTP_KEYPASSWD": PASSPHRASE}


def test_client_certificate_is_shown(tmp_path, sandbox, strict, nginx, authority, client):
    log = nginx(strict)
    watched(tmp_path, strict, authority).run("ogrinfo", NAME, env=client)
    assert {entry["client"] for entry in log.seen()} == {"CN=a-client"}
    assert len(sandbox.runs()) == 1


@pytest.mark.parametrize("change", [
    {"GDAL_HTTP_KEYPASSWD": "phr4se-abcdef-not"}, {"GDAL_HTTP_SSLKEY": "/nowhere.key"},
    {"GDAL_HTTP_SSLCERT": "/nowhere.pem"}])
def test_client_certificate_that_cannot_be_used_ends_the_open(
        tmp_path, sandbox, strict, nginx, authority, client, change):
    nginx(strict)
    gdal = watched(tmp_path, strict, authority)
    text = gdal.fails("ogrinfo", NAME, tag="network", env={**client, **change})
    assert "certificate" in text or "key" in text
    assert nothing_happened(gdal, sandbox)


def test_server_refuses_a_client_without_certificate(tmp_path, sandbox, strict, nginx,
                                                     authority):
    log = nginx(strict)
    gdal = watched(tmp_path, strict, authority)
    gdal.fails("ogrinfo", NAME, tag="refused")
    assert [entry["status"] for entry in log.seen()] == ["400", "400"]
    assert nothing_happened(gdal, sandbox)


class Alerting(Listener):
    """Wants a client certificate as TLS 1.3 does: the client hears of it when it has
    sent its request."""

    def __init__(self, authority, certificate, protocol):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.path, certificate.key)
        self.context.load_verify_locations(authority.path)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.set_alpn_protocols([protocol])
        super().__init__()

    def reply(self, connection, number):
        secured = self.context.wrap_socket(connection, server_side=True,
                                           do_handshake_on_connect=False)
        try:
            secured.do_handshake()
        except ssl.SSLError:
            # Closing at once would reset the connection under the client's request.
            while socket.socket.recv(secured, 65536):
                pass


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
@pytest.mark.parametrize("shown", ["none", "of a stranger"])
def test_alert_about_the_client_certificate_ends_the_open_at_once(
        tmp_path, authority, certificates, started, protocol, shown):
    server = started(Alerting(authority, certificates["good"], protocol))
    gdal = WatchedGdal(tmp_path, f"https://127.0.0.1:{server.port}/public", authority)
    if shown != "none":
        alone = certificates["self-signed"]
        gdal.env.update(GDAL_HTTP_SSLCERT=str(alone.path),
                        GDAL_HTTP_SSLKEY=str(alone.key))
    text = gdal.fails("ogrinfo", NAME, tag="network")
    alert = "certificate required" if shown == "none" else "unknown ca"
    assert f"alert {alert}" in text
    assert gdal.records() == {} and server.connections == 1


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_alert_to_the_run_request_is_nothing_happened(
        tmp_path, service, nginx, authority, certificates, started, protocol):
    name = "GIQ:model=m;file=f"
    service.script["status"] = [Response(job("FAILED"))]
    good = Server(front_of(service.url), certificate=certificates["good"], http2=True)
    nginx(good)
    strict = started(Alerting(authority, certificates["good"], protocol))
    relay = started(Relay(good.port, good.port, strict.port, good.port))
    gdal = WatchedGdal(tmp_path, f"https://127.0.0.1:{relay.port}/public", authority)
    gdal.fails("ogrinfo", name, tag="failed")
    before = gdal.records()
    text = gdal.fails("ogrinfo", "-oo", "RETRY=a", name, tag="network")
    assert "alert certificate required" in text
    assert relay.connections == 3
    assert gdal.records() == before
    gdal.fails("ogrinfo", "-oo", "RETRY=a", name, tag="failed")
    assert len(service.calls("run")) == 2


# ---- redirects ----

@pytest.mark.parametrize("call", ["status", "download"])
def test_https_is_not_left_for_http(tmp_path, sandbox, front, nginx, authority,
                                    certificates, call):
    plain = Server(front)
    server = Server(moved(call, plain.origin), front, certificate=certificates["good"])
    log = nginx(server, plain)
    gdal = watched(tmp_path, server, authority)
    text = gdal.fails("ogrinfo", NAME, tag="network")
    assert "from https to http" in text
    assert log.seen(plain) == []
    assert [entry["uri"].rsplit("/", 1)[1] for entry in log.seen()].count(call) == 1
    assert len(sandbox.runs()) == 1


def test_run_request_does_not_leave_https(tmp_path, sandbox, front, nginx, authority,
                                          certificates):
    plain = Server(front)
    server = Server(moved("run", plain.origin, 307), front,
                    certificate=certificates["good"])
    log = nginx(server, plain)
    gdal = watched(tmp_path, server, authority)
    gdal.fails("ogrinfo", NAME, tag="network")
    assert log.seen(plain) == [] and gdal.records() == {} and sandbox.runs() == []


def test_other_origin_sees_no_secret(tmp_path, sandbox, front, nginx, authority,
                                     certificates, client):
    other = Server("ssl_verify_client optional_no_ca;",
                   f"proxy_set_header X-API-KEY {KEY};", front,
                   certificate=certificates["good"])
    server = Server("ssl_verify_client optional_no_ca;",
                    moved("download", other.origin), front,
                    certificate=certificates["good"])
    log = nginx(server, other)
    gdal = watched(tmp_path, server, authority)
    gdal.run("ogrinfo", NAME, env={
        **client, "GDAL_HTTP_HEADERS": f"Cookie: {COOKIE},X-Team: maps"})
    secrets = ("client", "key", "team", "cookie", "bearer")
    assert {tuple(entry[name] for name in secrets) for entry in log.seen(server)} == {
        ("CN=a-client", KEY, "maps", COOKIE, "")}
    assert [[entry[name] for name in secrets] for entry in log.seen(other)] == [[""] * 5]
    assert len(sandbox.runs()) == 1
