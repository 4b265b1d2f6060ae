"""Connections that fail before a request goes out: tried again, outlasted by a wait, and
nothing recorded of a run request that was never sent."""
import errno
import os

import pytest

from certificates import Authority
from nginx import Nginx, Server, front_of
from programs import Gdal
from proxies import Relay, ScriptedProxy
from scripted import Response, job, service  # noqa: F401

NAME = "GIQ:model=m;file=f"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
# What the error says of each.
WORDS = {
    "name": "Could not resolve host: giq.test",
    "refused": "Failed to connect to 127.0.0.1",
    "tls": "SSL",
    "proxy name": "Could not resolve proxy: proxy.test",
    "proxy refused": "the proxy refused to connect to 127.0.0.1: HTTP 503",
}


class Gate(Relay):
    """Speaks no TLS on so many connections, then carries each to the port."""

    def __init__(self, port):
        self.failures = 0
        super().__init__(port)

    def reply(self, connection, number):
        if self.failures > 0:
            self.failures -= 1
            connection.recv(65536)
            connection.sendall(BUSY)
        else:
            super().reply(connection, number)


class Trouble:
    """GDAL's programs, and connections that fail in one way when it begins."""

    def __init__(self, way, folder, service, authority):
        self.way = way
        self.service = service
        self.kept = []
        self.gate = None
        self.gdal = Gdal(folder, service.url)
        self.gdal.env["LD_PRELOAD"] = os.environ["GIQ_FAULT_LIBRARY"]
        if way == "name":
            self.gdal.env.update(GIQ_BASE_URL=f"http://giq.test:{service.port}/public",
                                 GIQ_ALLOW_HTTP="YES")
        elif way in ("tls", "proxy refused"):
            server = Server(front_of(service.url), certificate=authority.sign("good"))
            self.start(Nginx(folder / "nginx", server))
            self.gate = self.start(Gate(server.port))
            self.gdal.env.update(GIQ_BASE_URL=f"https://127.0.0.1:{self.gate.port}/public",
                                 CURL_CA_BUNDLE=str(authority.path))

    def start(self, made):
        self.kept.append(made)
        return made

    def stop(self):
        for made in reversed(self.kept):
            made.stop()

    def begin(self):
        """The first connection of the next program is to fail: its environment."""
        if self.way == "name":
            return {"GIQ_FAULT_NAMES": "1"}
        if self.way == "proxy name":
            return {"GIQ_FAULT_NAMES": "1",
                    "GDAL_HTTP_PROXY": f"http://proxy.test:{self.service.port}"}
        if self.way == "refused":
            return {"GIQ_FAULT_ON": "connect *",
                    "GIQ_FAULT_ACTION": str(errno.ECONNREFUSED)}
        if self.way == "tls":
            self.gate.failures = 1
            return {}
        return {"GDAL_HTTPS_PROXY": self.start(ScriptedProxy(BUSY, None)).url}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=list(WORDS))
def trouble(request, tmp_path, service, authority, started):
    return started(Trouble(request.param, tmp_path, service, authority))


def test_get_is_tried_again(trouble, service):
    trouble.gdal.run("ogrinfo", "GIQ:models", env={**trouble.begin(), "GIQ_MAX_RETRY": "1"})
    assert service.names() == ["models"]


def test_get_that_is_not_tried_again_says_what_failed(trouble, service):
    text = trouble.gdal.fails("ogrinfo", "GIQ:models", tag="network",
                              env={**trouble.begin(), "GIQ_MAX_RETRY": "0"})
    assert WORDS[trouble.way] in text
    assert service.names() == []


def test_wait_outlasts_it(trouble, service):
    service.script["status"] = [Response(job("RUNNING")), Response(job("COMPLETED"))]
    trouble.gdal.run("ogrinfo", "-oo", "WAIT=NO", NAME)
    trouble.gdal.run("ogrinfo", NAME, env={**trouble.begin(), "GIQ_MAX_RETRY": "0"})
    assert service.names() == ["models", "run", "status", "status", "download"]


def test_run_request_that_was_not_sent_changes_no_record(trouble, service):
    service.script["status"] = [Response(job("FAILED")), Response(job("COMPLETED"))]
    trouble.gdal.fails("ogrinfo", NAME, tag="failed")
    before = trouble.gdal.records()
    text = trouble.gdal.fails("ogrinfo", "-oo", "RETRY=again", NAME, tag="network",
                              env=trouble.begin())
    assert WORDS[trouble.way] in text
    assert trouble.gdal.records() == before and len(service.calls("run")) == 1
    # The label is not used up.
    trouble.gdal.run("ogrinfo", "-oo", "RETRY=again", NAME)
    assert len(service.calls("run")) == 2


@pytest.mark.parametrize("options,kept", [
    ({}, []),
    ({"KEEPALIVE": "NO", "KEEPIDLE": "7"}, []),
    ({"KEEPALIVE": "YES"}, ["KEEPALIVE 1", "KEEPIDLE 60", "KEEPINTVL 60"]),
    ({"KEEPALIVE": "YES", "KEEPIDLE": "7", "KEEPINTVL": "3"},
     ["KEEPALIVE 1", "KEEPIDLE 7", "KEEPINTVL 3"]),
    ({"KEEPALIVE": "YES", "KEEPIDLE": "soon", "KEEPINTVL": "-3"},
     ["KEEPALIVE 1", "KEEPIDLE 60", "KEEPINTVL 60"]),
])
def test_connection_is_kept_alive_as_gdal_is_told(tmp_path, service, options, kept):
    """A run request may wait for minutes behind a firewall that forgets connections."""
    log = tmp_path / "log"
    gdal = Gdal(tmp_path, service.url)
    gdal.run("ogrinfo", NAME, env={
        **{f"GDAL_HTTP_TCP_{name}": value for name, value in options.items()},
        "LD_PRELOAD": os.environ["GIQ_FAULT_LIBRARY"], "GIQ_FAULT_LOG": str(log)})
    calls = [line.split(" ", 1) for line in log.read_text().splitlines()]
    connections = sum(name == "connect" for name, _ in calls)
    assert [what for name, what in calls if name == "setsockopt"] == kept * connections


# Each round loads GDAL, opens in a thread that ends, and lets go of GDAL. It waits for the
# end of all other threads.
ROUNDS = """
import _ctypes, ctypes, ctypes.util, os, sys, threading, time

def open_in_thread(gdal):
    gdal.GDALOpenEx.restype = ctypes.c_void_p
    data = gdal.GDALOpenEx(sys.argv[1].encode(), 0x44, None, None, None)
    print("opened" if data else "failed")
    gdal.GDALClose(ctypes.c_void_p(data))

for _ in range(3):
    gdal = ctypes.CDLL(ctypes.util.find_library("gdal"))
    gdal.GDALAllRegister()
    thread = threading.Thread(target=open_in_thread, args=(gdal,))
    thread.start()
    thread.join()
    while len(os.listdir("/proc/self/task")) > 1:
        time.sleep(0.01)
    gdal.GDALDestroyDriverManager()
    _ctypes.dlclose(gdal._handle)
print("end")
"""


@pytest.mark.parametrize("failures,opened", [(0, "opened"), (100, "failed")])
def test_no_thread_of_the_resolver_is_left_after_an_open(tmp_path, service, failures,
                                                         opened):
    """Later libcurls resolve names in threads that transfers share: the thread that opened
    ends, and the program lets go of GDAL."""
    gdal = Gdal(tmp_path, f"http://giq.test:{service.port}/public")
    done = gdal.python(ROUNDS, NAME, env={
        "LD_PRELOAD": os.environ["GIQ_FAULT_LIBRARY"], "GIQ_FAULT_NAMES": str(failures),
        "GIQ_ALLOW_HTTP": "YES", "GIQ_MAX_RETRY": "0"})
    assert done.stdout.split() == [opened] * 3 + ["end"]
    assert len(service.calls("run")) == (1 if opened == "opened" else 0)


def test_resolver_that_never_responds_is_left(tmp_path, service):
    """The time to connect counts, and the program ends."""
    gdal = Gdal(tmp_path, f"http://giq.test:{service.port}/public")
    text = gdal.fails("ogrinfo", NAME, tag="network", env={
        "LD_PRELOAD": os.environ["GIQ_FAULT_LIBRARY"], "GIQ_FAULT_NAMES": "-1",
        "GIQ_ALLOW_HTTP": "YES", "GIQ_MAX_RETRY": "1", "GIQ_CONNECT_TIMEOUT": "0.2"})
    assert "giq.test: " in text and "Timeout was reached" in text
    assert gdal.records() == {} and service.names() == []
