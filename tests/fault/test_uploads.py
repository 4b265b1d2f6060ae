"""Uploads that the service takes badly, and what a large one needs of memory."""
import re
import socket
import time

import pytest
import secret_search
from programs import Gdal
from raw import RawService, response, read_body, read_head

NAME = "GIQ:model=m;upload=file.bin;wait=no"
TAKEN = response({"fileId": "up-1", "originalName": "x"})
LARGE = 20 * 1000 * 1000
ROOM_KIB = 6 * 1024


class Taker(RawService):
    """`take` gets an upload when its head has come, and may read the rest."""

    def __init__(self):
        super().__init__()
        self.take = None
        self.runs = []
        self.uploads = 0

    def exchange(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head, body = read_head(connection)
        if head is None:
            return False
        if b"/upload?" in head:
            self.uploads += 1
            self.take(connection, head, body)
            return False
        read_body(connection, head, body)
        call = head.split(b" ")[1].split(b"?")[0].rsplit(b"/", 1)[-1].decode()
        self.runs += [call] * (call == "run")
        connection.sendall(self.next_reply(call, head, body))
        return True


@pytest.fixture
def service(started):
    return started(Taker())


@pytest.fixture
def gdal(tmp_path, service):
    made = Gdal(tmp_path, service.url)
    with open(secret_search.is_input(tmp_path / "file.bin"), "wb") as file:
        file.truncate(LARGE)
    return made


def drain(connection, head, body, piece=1 << 20, pause=0, asks=True):
    """Take the whole body, which is not kept, in such pieces."""
    if asks:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    left = int(re.search(rb"Content-Length: (\d+)", head)[1]) - len(body)
    while left > 0:
        left -= len(connection.recv(piece))
        time.sleep(pause)


def take_all(connection, head, body):
    drain(connection, head, body)
    connection.sendall(TAKEN)


def test_service_that_stops_reading_is_left(gdal, service):
    stops = []

    def take(connection, _head, _body):
        stops.append(connection.recv(1000))
        while len(stops) < 2:
            time.sleep(0.01)
    service.take = take
    text = gdal.fails("ogrinfo", "-oo", "LOW_SPEED_TIME=1", "-oo", "MAX_RETRY=0", NAME,
                      tag="network")
    stops.append(b"")
    assert "the file was sent at less than 1 bytes a second for 1 seconds" in text
    assert service.runs == [] and service.uploads == 1


def test_refusal_spares_sending_the_file(gdal, service):
    came = []

    def take(connection, _head, body):
        connection.sendall(response(b"no", status="413 Too Large"))
        connection.shutdown(socket.SHUT_WR)
        while True:
            more = connection.recv(65536)
            came.append(len(body) + len(more))
            if not more:
                break
    service.take = take
    text = gdal.fails("ogrinfo", NAME, tag="service")
    assert "the service refused the upload: HTTP 413 no" in text
    assert sum(came) == 0 and service.runs == []


def test_service_that_will_not_be_asked_gets_the_file(gdal, service):
    def take(connection, head, body):
        if b"Expect:" in head:
            connection.sendall(response(status="417 Expectation Failed"))
        else:
            drain(connection, head, body)
            connection.sendall(TAKEN)
    service.take = take
    gdal.run("ogrinfo", NAME)
    assert service.runs == ["run"] and service.uploads == 2


def test_service_that_does_not_ask_for_the_file_gets_it(gdal, service):
    """libcurl waits a second for the service to ask, which is no stalled transfer."""
    def take(connection, head, body):
        assert b"Expect: 100-continue" in head
        drain(connection, head, body, asks=False)
        connection.sendall(TAKEN)
    service.take = take
    gdal.run("ogrinfo", "-oo", "LOW_SPEED_TIME=1", "-oo", "MAX_RETRY=0", NAME)
    assert service.runs == ["run"] and service.uploads == 1


def test_service_may_think_about_what_it_got(gdal, service):
    """Longer than a transfer may stall."""
    def take(connection, head, body):
        drain(connection, head, body)
        time.sleep(2.5)
        connection.sendall(TAKEN)
    service.take = take
    gdal.run("ogrinfo", "-oo", "LOW_SPEED_TIME=1", "-oo", "LOW_SPEED_LIMIT=1000000", NAME)
    assert service.runs == ["run"] and service.uploads == 1


def test_upload_that_goes_on_moving_outlives_the_time_limit(gdal, service):
    def take(connection, head, body):
        drain(connection, head, body, LARGE // 40, 0.05)
        connection.sendall(TAKEN)
    service.take = take
    gdal.run("ogrinfo", "-oo", "TIMEOUT=0.5", NAME)
    assert service.runs == ["run"] and service.uploads == 1


def test_large_upload_needs_no_memory(gdal, service):
    service.take = take_all

    def peak_kib(size):
        with open(secret_search.is_input(gdal.folder / "file.bin"), "wb") as file:
            file.truncate(size)
        return gdal.peak_kib("ogrinfo", "-q", NAME)[0]
    usual = peak_kib(1000)
    large = peak_kib(90 * 1000 * 1000)
    print("peak", usual, "and", large, "KiB")
    assert service.uploads == 2 and service.runs == ["run"] * 2
    assert large - usual < ROOM_KIB
