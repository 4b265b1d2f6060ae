"""A gIQ service whose responses are written down by a test: what the sandbox would
never say. Every request is kept in `seen`."""
import http.server
import json
import socket
import threading
import urllib.parse

import pytest

MODELS = [{"id": "m", "name": "Model", "version": "1", "type": "RASTER",
           "labels": ["a"]}]
GEOJSON = json.dumps({
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {"name": "one"},
                  "geometry": {"type": "Point", "coordinates": [1, 2]}}],
}).encode()


def job(status, **more):
    return {"id": "job-1", "status": status, "type": "RASTER",
            "startedAt": "2024-05-01T10:20:30Z", **more}


def done(seen):
    """The job that is asked for has succeeded."""
    return Response(job("COMPLETED", id=seen["query"].get("inferenceId")))


class Response:
    """One response. `chunked`: True sends chunks, False a length; "close" neither;
    `cut`: end the connection after so many bytes of the body."""

    def __init__(self, body=b"", status=200, headers=None, chunked=False, cut=None,
                 drop=False):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status = status
        self.headers = headers or {}
        self.chunked = chunked
        self.cut = cut
        self.drop = drop


class ScriptedService:
    """`script[name]` is a list of responses for a call (models, upload, run, status,
    download); the last one is given again and again."""

    def __init__(self, host="127.0.0.1", family=socket.AF_INET):
        self.seen = []
        self.lock = threading.Lock()
        self.script = {
            "models": [Response(MODELS)],
            "upload": [Response({"fileId": "up-1", "originalName": "x"})],
            "run": [Response(job("SUBMITTED"))],
            "status": [done],
            "download": [Response(GEOJSON, chunked=True, headers={
                "Content-Disposition": "attachment; filename=result.geojson"})],
        }
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # A body after its headers would wait for the client's acknowledgement.
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def do_GET(self):
                service.handle(self, b"")

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                service.handle(self, self.rfile.read(length))

        class Server(http.server.ThreadingHTTPServer):
            address_family = family
            # Python's five are too few for the rows of a batch: on a busy machine the
            # system resets connections that wait to be accepted.
            request_queue_size = 512

        self.server = Server((host, 0), Handler)
        self.server.daemon_threads = True
        # Clients that are killed in the middle are what many tests are about.
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}/public"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,),
                                       daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def calls(self, name=None):
        with self.lock:
            return [s for s in self.seen if name is None or s["call"] == name]

    def names(self):
        return [s["call"] for s in self.calls()]

    def handle(self, request, body):
        parts = urllib.parse.urlsplit(request.path)
        name = parts.path.rsplit("/", 1)[-1]
        with self.lock:
            entry = {
                "call": name, "method": request.command, "path": request.path,
                "query": dict(urllib.parse.parse_qsl(parts.query)), "body": body,
                "headers": {k.lower(): v for k, v in request.headers.items()}}
            self.seen.append(entry)
            responses = self.script.get(name) or [Response(status=404)]
            response = responses.pop(0) if len(responses) > 1 else responses[0]
        while callable(response):
            response = response(entry)
        send(request, response)


def send(request, response):
    if response.drop:
        request.close_connection = True
        return
    request.send_response(response.status)
    for name, value in response.headers.items():
        request.send_header(name, value)
    if response.chunked is True:
        request.send_header("Transfer-Encoding", "chunked")
    elif response.chunked is False:
        request.send_header("Content-Length", str(len(response.body)))
    else:
        request.send_header("Connection", "close")
    request.end_headers()
    body = response.body if response.cut is None else response.body[:response.cut]
    if response.chunked is True:
        if body:
            request.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
        if response.cut is None:
            request.wfile.write(b"0\r\n\r\n")
    else:
        request.wfile.write(body)
    request.close_connection = response.cut is not None or response.chunked == "close"


@pytest.fixture
def service(started):
    """A service whose responses a test writes down."""
    return started(ScriptedService())
