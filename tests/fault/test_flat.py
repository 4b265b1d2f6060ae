"""Responses without end or measure: the program that gets them stays as small as ever."""
import pytest
from programs import Gdal
from raw import RawService, response, chunk, chunked, endless
from table import MEBIBYTE, MODELS, SOON

# A small response may have 16 MiB: once as it came, once as the text that is read, and
# once more while the buffer grows.
ROOM_KIB = 3 * 16 * 1024
OVER = response(b"", length=17 * MEBIBYTE)
FAULTS = {
    "beyond_the_cap": endless(OVER, b" " * MEBIBYTE),
    "chunks_beyond_the_cap": endless(chunked(), chunk(b" " * MEBIBYTE)),
    "values": response(b"[" + b"1," * (8 * MEBIBYTE - 2) + b"1]"),
    "brackets": response(b"[" * (16 * MEBIBYTE)),
    "one_string": response(b'"' + b"x" * (15 * MEBIBYTE)),
    "error_page": endless(response(status="400 Bad", length=10 ** 12), b"x" * MEBIBYTE),
    "headers": endless(b"HTTP/1.1 200 OK\r\n", b"X-Junk: y\r\n" * 999),
    "one_header": endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 9999),
    "interim_responses": endless(b"", b"HTTP/1.1 103 Early\r\nX: y\r\n\r\n"),
}


@pytest.fixture
def service(started):
    return started(RawService())


@pytest.mark.parametrize("fault", FAULTS)
def test_memory_stays_flat(fault, service, tmp_path):
    gdal = Gdal(tmp_path, service.url)
    usual, _ = gdal.peak_kib("ogrinfo", "-q", MODELS, env=SOON)
    service.faults = {"models": FAULTS[fault]}
    peak, words = gdal.peak_kib("ogrinfo", "-q", MODELS, env=SOON)
    assert words.count("GIQ[") == 1
    assert peak - usual < ROOM_KIB
