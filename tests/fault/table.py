"""The faults, one row each: what the service does, what the user sees, how many run
requests came, and what is in the store. ctest has a test for each row."""
import dataclasses
import gzip
import io
import json
import tarfile
import zipfile

from archives import pack_zip
from raw import (NAMED, RESULT, WELL, response, chunk, chunked, dripping, endless, job,
                 reset, restart, silent)

KEY = "k3y-0f-the-us3r"
SOON = {"GIQ_TIMEOUT": "20", "GIQ_MAX_RETRY": "1"}
HALF = RESULT[:len(RESULT) // 2]
REST = RESULT[len(HALF):]
MODELS = "GIQ:models"
MEBIBYTE = 1024 * 1024


@dataclasses.dataclass
class Row:
    name: str
    faults: dict            # replies of the service by call, see raw.py
    sees: str = ""          # tag of the error; none: the result
    says: str = ""          # stands in the error's text
    runs: int = 1           # run requests that came
    state: str = ""         # of the record; none: published, or no record
    env: dict = dataclasses.field(default_factory=dict)
    opens: str = "GIQ:model=m;file=f"
    keeps: str = "result.geojson"  # name of the published file


def location(target, status="302 Found"):
    return response(status=status, headers=(f"Location: {target}",))


def resumable(etag='"v1"'):
    """The first half, of a body that could be continued."""
    return response(HALF, headers=(*NAMED, f"ETag: {etag}"), length=len(RESULT))


def coded(body, headers=(), cut=0, **more):
    """A response in the content coding gzip, without its last bytes."""
    body = gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode())
    return response(body[:len(body) - cut], headers=(*headers, "Content-Encoding: gzip"),
                  **more)


def part(body, first, total=len(RESULT), etag='"v1"'):
    return response(body, status="206 Partial Content", headers=(
        *NAMED, *([f"ETag: {etag}"] if etag else []),
        f"Content-Range: bytes {first}-{len(RESULT) - 1}/{total}"))


def retry_after(value, status="503 Busy"):
    return response(status=status, headers=(f"Retry-After: {value}",))


def echo(text):
    return response({"message": text}, status="400 Bad Request")


def download(body, filename="result"):
    return {"download": response(body, headers=(
        f'Content-Disposition: attachment; filename="{filename}"',))}


def tar(name, body=RESULT, **fields):
    """A tar with one member."""
    member = tarfile.TarInfo(name)
    member.size = len(body)
    for field, value in fields.items():
        setattr(member, field, value)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        made.addfile(member, io.BytesIO(body))
    return out.getvalue()


def zipped(**members):
    return pack_zip(members, zipfile.ZIP_DEFLATED)


VRT = b"<VRTDataset rasterXSize='1' rasterYSize='1'/>"
OGR_VRT = (b"<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/etc/a.csv"
           b"</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>")
WMS = b"<GDAL_WMS><Service/></GDAL_WMS>"
ROWS = (
    # ---- reaching the service ----
    Row("host_unknown", {}, "network", runs=0,
        env={"GIQ_BASE_URL": "https://nowhere.invalid/public", **SOON}),
    Row("http_to_a_host", {}, "usage", "ALLOW_HTTP", runs=0,
        env={"GIQ_BASE_URL": "http://giq.example/public"}),
    Row("no_tls_there", {}, "network", runs=0,
        env={"GIQ_BASE_URL": "https://HERE", "GIQ_MAX_RETRY": "0",
             "GIQ_CONNECT_TIMEOUT": "0.3"}),
    Row("silent", {"models": silent}, "network", runs=0, opens=MODELS,
        env={"GIQ_HTTP_TIMEOUT": "0.3", "GIQ_MAX_RETRY": "1"}),
    Row("dripping_response", {"models": dripping(WELL["models"])}, "network", runs=0,
        opens=MODELS, env={"GIQ_HTTP_TIMEOUT": "0.5", "GIQ_MAX_RETRY": "0"}),
    Row("dripping_download", {"download": dripping(WELL["download"], -len(HALF))},
        "incomplete", state="succeeded", env={"GIQ_MAX_RETRY": "0",
                                              "GDAL_HTTP_LOW_SPEED_TIME": "1",
                                              "GIQ_LOW_SPEED_LIMIT": "1000"}),
    Row("stalled_download", {"download": lambda c, s: (
        c.sendall(response(HALF, headers=NAMED, length=len(RESULT))), silent(c, s))},
        "incomplete", state="succeeded", env={"GIQ_TIMEOUT": "1"}),
    Row("reset_before_response", {"models": [reset], "status": [reset],
                                "download": [reset]}),
    Row("cut_within_headers", {"models": [b"HTTP/1.1 200 OK\r\nContent-Le"],
                               "status": [b"HTTP/1.1 200 OK\r\nContent-Le"],
                               "download": [b"HTTP/1.1 200 OK\r\nContent-Le"]}),
    Row("cut_within_small_response", {"models": [response(b"[{", length=100)],
                                    "status": [response(b'{"id"', length=100)]}),
    Row("closed_while_idle", {"models": [WELL["models"] + b""],
                              "status": [response(job("RUNNING"), close=False)] * 3}),
    Row("restarted_while_polling", {"status": [restart(0.5)]},
        env={"GIQ_MAX_RETRY": "0", "GIQ_POLL_INTERVAL": "0.1"}),
    Row("outage_while_polling", {"status": [reset] * 12},
        env={"GIQ_MAX_RETRY": "1", "GIQ_POLL_INTERVAL": "0.05"}),
    Row("outage_longer_than_timeout", {"status": reset}, "timeout", "job-1",
        state="submitted", env={"GIQ_TIMEOUT": "1", "GIQ_POLL_INTERVAL": "0.1"}),
    # ---- the run request ----
    Row("run_reset", {"run": reset}, "unknown", "rerun=", state="unknown"),
    Row("run_cut_within_headers", {"run": b"HTTP/1.1 200 OK\r\nCont"}, "unknown",
        state="unknown"),
    Row("run_cut_response", {"run": response(b'{"id": "jo', length=50)}, "unknown",
        state="unknown"),
    Row("run_junk_response", {"run": b"SSH-2.0-OpenSSH_9.2\r\n"}, "unknown",
        state="unknown"),
    Row("run_large_number", {"run": response({"id": 2 ** 53 + 1}),
                             "status": response({"status": "COMPLETED"})}),
    Row("run_number_with_exponent", {"run": response(b'{"id": 9.1e15}')}, "unknown",
        state="unknown"),
    Row("run_coded", {"run": coded(job("SUBMITTED"))}),
    Row("run_in_no_coding", {"run": response(job("SUBMITTED"), headers=(
        "Content-Encoding: UTF-8",))}),
    Row("run_html", {"run": response(b"<html>busy</html>")}, "unknown", state="unknown"),
    Row("run_500", {"run": response(status="500 Oops")}, "unknown", state="unknown"),
    Row("run_503", {"run": response(status="503 Busy")}, "unknown", state="unknown"),
    Row("run_503_later", {"run": retry_after(0)}, "unknown", state="unknown"),
    Row("run_429_later", {"run": [retry_after(0, "429 Slow")]}, runs=2),
    Row("run_429_for_ever", {"run": retry_after(0, "429 Slow")}, "refused", runs=3,
        env={"GIQ_MAX_RETRY": "2"}),
    Row("run_too_late", {"run": retry_after(86400, "429 Slow")}, "refused"),
    Row("run_400", {"run": response(status="400 Bad")}, "refused"),
    Row("run_307_here", {"run": [location("run", "307 Again")]}, runs=2),
    Row("run_307_elsewhere", {"run": location("http://localhost:1/run", "307 Again")},
        "network"),
    Row("run_302", {"run": location("run")}, "network"),
    Row("run_303", {"run": location("status", "303 See")}, "unknown", state="unknown"),
    Row("run_303_cut", {"run": response(b"{}", status="303 See", length=40, headers=(
        "Location: status",))}, "unknown", state="unknown"),
    Row("run_loop", {"run": location("run", "308 Again")}, "network", runs=6),
    # ---- redirects of a GET ----
    Row("redirects_5", {"download": [location("download", "307 On")] * 5}),
    Row("redirects_for_ever", {"download": location("download", "301 On")}, "network",
        "redirects", state="succeeded", env=SOON),
    Row("redirect_to_a_file", {"download": location("file:///etc/passwd")}, "network",
        state="succeeded", env=SOON),
    Row("redirect_to_ftp", {"download": location("ftp://localhost/x")}, "network",
        state="succeeded", env=SOON),
    Row("redirect_with_a_user", {"download": location("http://u:p@localhost/x")},
        "network", state="succeeded", env=SOON),
    Row("redirect_without_location", {"download": response(status="302 Found")}, "service",
        state="succeeded", env=SOON),
    # ---- Retry-After ----
    Row("later_in_seconds", {"download": [retry_after(0)]}),
    Row("later_as_a_date",
        {"download": [retry_after("Sun, 06 Nov 1994 08:49:37 GMT")]}),
    Row("later_negative", {"download": [retry_after(-5)]}),
    Row("later_nonsense", {"download": [retry_after("soon")]}),
    Row("later_absurd", {"download": retry_after("9" * 40)}, "service", "503",
        state="succeeded"),
    # ---- small responses ----
    Row("too_large", {"models": endless(response(b"[", length=17 * MEBIBYTE),
                                        b" " * MEBIBYTE)}, "service", "larger", runs=0,
        opens=MODELS, env=SOON),
    Row("too_large_in_chunks", {"models": endless(chunked(), chunk(b" " * MEBIBYTE))},
        "service", "larger", runs=0, opens=MODELS, env=SOON),
    Row("error_page_without_end", {"models": endless(
        response(status="400 Bad", length=10 ** 12), b"x" * MEBIBYTE)}, "service", "400",
        runs=0, opens=MODELS, env=SOON),
    Row("nested_json", {"models": response(b"[" * 1000000)}, "service", runs=0,
        opens=MODELS, env=SOON),
    Row("cut_json", {"models": response(b'[{"id": "m"')}, "service", runs=0, opens=MODELS,
        env=SOON),
    Row("no_utf8", {"models": response(b'[{"id": "m\xff\xfe"}]')}, runs=0, opens=MODELS),
    Row("nul_in_json", {"models": response(b'[{"id": "m\x00"}]')}, "service", runs=0,
        opens=MODELS, env=SOON),
    Row("numbers_out_of_range", {"status": [response(
        b'{"id": 1e999, "status": 1e999, "startedAt": -1e999}')]}),
    Row("members_twice", {"status": [response(
        b'{"status": "RUNNING", "status": "COMPLETED", "status": "RUNNING"}')]}),
    Row("coded_response", {"models": coded(b"[]")}, runs=0, opens=MODELS),
    Row("coded_response_cut", {"models": coded(b"[]", cut=11)}, "network", runs=0,
        opens=MODELS),
    Row("coded_error_page", {"models": coded({"message": "gone fishing"}, status="400 Bad")},
        "service", "gone fishing", runs=0, opens=MODELS),
    Row("coded_status", {"status": [coded(job("RUNNING")), coded(job("COMPLETED"))]}),
    Row("words_for_a_terminal", {"models": echo("\x1b[2J\x07\u009b2J" + "x" * 5000)},
        "service", "400", runs=0, opens=MODELS),
    Row("key_echoed", {"models": echo(f"no such key: {KEY}")}, "service", "*******", runs=0,
        opens=MODELS),
    Row("key_echoed_in_status", {"status": response(job("FAILED", message=f"bad {KEY}"))},
        "failed", "*******", state="failed"),
    # ---- headers ----
    Row("header_flood", {"models": endless(b"HTTP/1.1 200 OK\r\n",
                                           b"X-Junk: %s\r\n" % (b"y" * 999))},
        "network", "bytes of headers", runs=0, opens=MODELS, env=SOON),
    # Newer versions of libcurl refuse 5,000 headers before the driver does.
    Row("header_flood_of_small_ones", {
        "models": endless(b"HTTP/1.1 200 OK\r\n", b"X-Junk: y\r\n" * 999)},
        "network", "headers", runs=0, opens=MODELS, env=SOON),
    Row("header_without_end", {"models": endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 9999)},
        "network", "a header line", runs=0, opens=MODELS, env=SOON),
    Row("interim_responses", {"models": [
        b"HTTP/1.1 103 Early\r\nX: y\r\n\r\n" * 20 + WELL["models"]]}, opens=MODELS, runs=0),
    Row("interim_flood", {"models": endless(b"", b"HTTP/1.1 103 Early\r\nX: y\r\n\r\n")},
        "network", "bytes of headers", runs=0, opens=MODELS, env=SOON),
    Row("junk_status_line", {"models": b"HTTP/1.1 abc def\r\n\r\n"}, "network", runs=0,
        opens=MODELS, env=SOON),
    Row("no_http", {"models": b"220 smtp.example ESMTP\r\n"}, "network", runs=0,
        opens=MODELS, env=SOON),
    Row("status_999", {"models": response(status="999 Odd")}, "service", "999", runs=0,
        opens=MODELS),
    # ---- downloads ----
    Row("short_length", {"download": response(HALF, headers=NAMED, length=len(RESULT))},
        "incomplete", "job-1", state="succeeded", env=SOON),
    Row("reset_within_the_body", {"download": lambda c, s: (
        c.sendall(response(HALF, headers=NAMED, length=len(RESULT))), reset(c, s))},
        "incomplete", state="succeeded", env=SOON),
    Row("reset_within_a_chunk", {"download": lambda c, s: (
        c.sendall(chunked(chunk(RESULT)[:-40])), reset(c, s))}, "incomplete",
        state="succeeded", env=SOON),
    Row("reset_before_the_body", {"download": reset}, "network", state="succeeded",
        env=SOON),
    Row("cut_within_a_chunk", {"download": chunked(chunk(RESULT)[:-40])}, "incomplete",
        state="succeeded", env=SOON),
    Row("cut_after_a_chunk", {"download": chunked(chunk(RESULT))}, "incomplete",
        state="succeeded", env=SOON),
    Row("cut_within_the_size", {"download": chunked(chunk(HALF), b"1f")}, "incomplete",
        state="succeeded", env=SOON),
    Row("cut_within_the_last_chunk", {"download": chunked(chunk(RESULT), b"0\r\n")},
        "incomplete", state="succeeded", env=SOON),
    Row("junk_chunk_size", {"download": chunked(chunk(HALF), b"zz\r\n")}, "incomplete",
        state="succeeded", env=SOON),
    Row("huge_chunk_size", {"download": chunked(chunk(HALF), b"f" * 17 + b"\r\n")},
        "incomplete", state="succeeded", env=SOON),
    Row("no_length", {"download": response(RESULT, headers=NAMED, length=-1)}, "incomplete",
        "ALLOW_UNVERIFIED_LENGTH", state="succeeded", env=SOON),
    Row("no_length_allowed", {"download": response(RESULT, headers=NAMED, length=-1)},
        env={"GIQ_ALLOW_UNVERIFIED_LENGTH": "YES"}),
    Row("http_1_0", {"download": response(RESULT, headers=NAMED, length=-1).replace(
        b"HTTP/1.1", b"HTTP/1.0")}, "incomplete", state="succeeded", env=SOON),
    Row("more_than_the_length", {"download": [response(
        RESULT + b"junk", headers=NAMED, length=len(RESULT))]}),
    Row("coded_download", {"download": coded(RESULT, headers=NAMED)}),
    Row("coded_download_without_length", {"download": coded(
        RESULT, headers=NAMED, length=-1)}),
    Row("coded_download_cut", {"download": coded(RESULT, headers=NAMED, length=-1, cut=9)},
        "incomplete", "gzip", state="succeeded", env=SOON),
    Row("coded_download_damaged", {"download": [
        coded(RESULT.replace(b"number", b"NUMBER"), headers=NAMED, cut=8)]}),
    Row("unknown_coding", {"download": response(RESULT, headers=(
        *NAMED, "Content-Encoding: br"))}, "incomplete", '"br"', state="succeeded",
        env=SOON),
    Row("word_that_is_no_coding", {"download": response(RESULT, headers=(
        *NAMED, "Content-Encoding: binary"))}),
    Row("empty_download", {"download": response(headers=NAMED)}, "result", "is empty",
        state="succeeded", env=SOON),
    Row("no_content", {"download": b"HTTP/1.1 204 None\r\n\r\n"}, "service", "204",
        state="succeeded", env=SOON),
    Row("range_not_asked_for", {"download": part(RESULT, 0)}, "incomplete", "206",
        state="succeeded", env=SOON),
    Row("web_page", {"download": response(b"<!DOCTYPE html><p>log in")}, "result",
        "web page", state="succeeded"),
    Row("gone", {"download": response(status="410 Gone")}, "gone", "job-1",
        state="succeeded"),
    # ---- going on ----
    Row("goes_on", {"download": [resumable(), part(REST, len(HALF))]}),
    Row("goes_on_whole", {"download": [resumable(), WELL["download"]]}),
    Row("weak_etag", {"download": [resumable('W/"v1"')]}),
    Row("changed_meanwhile", {"download": [resumable(), part(REST, len(HALF), etag='"v2"')]}),
    Row("range_without_etag", {"download": [
        resumable(), part(REST.replace(b"number", b"NUMBER"), len(HALF), etag="")]}),
    Row("other_total", {"download": [resumable(), part(REST, len(HALF), total=99999)]}),
    Row("other_range", {"download": [resumable(), part(REST, len(HALF) - 1)]}),
    Row("range_short", {"download": [resumable(), part(REST[:-5], len(HALF))]}),
    Row("range_long", {"download": [resumable(), part(REST + b"12345", len(HALF))]}),
    Row("range_refused", {"download": [resumable(), response(status="416 No")]}),
    Row("never_done", {"download": resumable()}, "incomplete", state="succeeded",
        env={"GIQ_MAX_RETRY": "3"}),
    # ---- results ----
    *(Row(f"{name}_as_{suffix or 'nothing'}", download(body, f"result{suffix}"), "result",
          f"GIQ_RESULT_DRIVERS=+{driver}", state="succeeded")
      for name, body, driver in (("vrt", VRT, "VRT"), ("ogr_vrt", OGR_VRT, "OGR_VRT"),
                                 ("wms", WMS, "WMS"))
      for suffix in ("", ".vrt", ".tif", ".geojson", ".gpkg", ".xml")),
    Row("vrt_in_an_archive", download(zipped(a=VRT)), "result", "VRT", state="succeeded"),
    Row("another_request", download(b"GIQ:model=m;file=g"), "result", state="succeeded"),
    Row("cut_archive", download(b"PK\x03\x04" + b"x" * 200, "a.zip"), "result",
        state="succeeded"),
    Row("cut_tar", download(tar("a.geojson")[:700]), "result", "archive",
        state="succeeded"),
    Row("archive_of_nothing", download(zipped()), "result", state="succeeded"),
    Row("archive_in_an_archive", download(zipped(a=zipped(b=RESULT))), "result",
        state="succeeded"),
    Row("tar_that_links_away", download(tar("a.geojson", b"", type=tarfile.SYMTYPE,
                                            linkname="/etc/passwd")), "result",
        "holds no file", state="succeeded"),
    Row("tar_with_a_device", download(tar("a.geojson", b"", type=tarfile.CHRTYPE)),
        "result", "holds no file", state="succeeded"),
    *(Row(f"tar_that_leads_{where}", download(tar(name)), keeps="evil.geojson")
      for where, name in (("up", "../../../../evil.geojson"),
                          ("to_the_root", "/tmp/evil.geojson"),
                          ("by_backslash", "..\\..\\evil.geojson"))),
    *(Row(f"name_{what}", download(RESULT, name), keeps=kept) for what, name, kept in (
        ("leads_up", "../../../../evil.geojson", "evil.geojson"),
        ("absolute", "/etc/evil.geojson", "evil.geojson"),
        ("with_control_characters", "a\x01b\x7f.geojson", "ab.geojson"),
        ("hidden", "..geojson", "geojson.geojson"),
        ("long", "x" * 3000 + ".geojson", "x" * 120 + ".geojson"),
        ("of_dots", "../..", "result.geojson"))),
    # ---- the store ----
    Row("store_is_a_file", {}, "store", runs=0, env={"GIQ_STORE_DIR": "FILE"}),
)
