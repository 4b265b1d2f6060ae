"""A gIQ service of bare sockets: what no HTTP library would send.

`faults[call]` is a reply for ever, or a list of replies, each given once before the
service is well again. A reply is bytes, after which the connection ends, or a
function of (connection, service)."""
import json
import socket
import threading
import time

RESULT = json.dumps({
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {"name": f"number {i}"},
                  "geometry": {"type": "Point", "coordinates": [i, 2]}}
                 for i in range(20)],
}).encode()
NAMED = ("Content-Disposition: attachment; filename=result.geojson",)


def response(body=b"", status="200 OK", headers=(), length=None, close=True):
    """The bytes of a response; `length` -1 tells none."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", *headers]
    if length != -1:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunk(body):
    return b"%x\r\n%s\r\n" % (len(body), body)


def chunked(*parts, headers=NAMED):
    """A response in chunks; parts are sent as they are."""
    return response(b"".join(parts), headers=(*headers, "Transfer-Encoding: chunked"),
                  length=-1)


def job(status, **more):
    return {"id": "job-1", "status": status, "type": "RASTER", **more}


WELL = {
    "models": response([{"id": "m", "name": "Model", "version": "1", "type": "RASTER",
                       "labels": []}], close=False),
    "run": response(job("SUBMITTED"), close=False),
    "status": response(job("COMPLETED"), close=False),
    "download": response(RESULT, headers=NAMED, close=False),
}


class RawService:
    def __init__(self):
        self.faults = {}
        self.seen = []  # (call, head of the request)
        self.lock = threading.Lock()
        self.stops = False
        self.listener = None
        self.port = 0
        self.listen()
        self.url = f"http://127.0.0.1:{self.port}/public"

    def listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def stop(self):
        # shutdown() wakes the thread that accepts; close() alone does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def go_away(self, seconds):
        """Refuse connections for so long, as a service does that is restarted."""
        self.stop()
        threading.Timer(seconds, self.listen).start()

    def accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                while self.exchange(connection):
                    pass
            except OSError:
                pass

    def exchange(self, connection):
        """One request and its reply; whether the connection stays."""
        head, body = read_head(connection)
        if head is None:
            return False
        body = read_body(connection, head, body)
        call = head.split(b" ")[1].split(b"?")[0].rsplit(b"/", 1)[-1].decode()
        with self.lock:
            self.seen.append((call, head))
            reply = self.next_reply(call, head, body)
        if callable(reply):
            reply(connection, self)
            return False
        connection.sendall(reply)
        return b"\r\nConnection: close\r\n" not in reply and reply in WELL.values()

    def next_reply(self, call, _head, _body):
        """What the next request of a call gets; the lock is held."""
        fault = self.faults.get(call)
        if isinstance(fault, list):
            fault = fault.pop(0) if fault else None
        return fault or WELL.get(call) or response(status="404 Not Found")

    def count(self, call):
        with self.lock:
            return sum(1 for seen, _ in self.seen if seen == call)


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None, b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    return head, body


def read_body(connection, head, body):
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            break
        body += more
    return body


# ---- replies that need the connection ----


def reset(connection, _):
    """Ends with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          b"\x01\x00\x00\x00\x00\x00\x00\x00")


def silent(connection, _):
    """Says nothing until the other side gives up."""
    while connection.recv(65536):
        pass


def dripping(data, at_once=0, pause=0.05):
    """The bytes one by one, after so many of them."""
    def reply(connection, service):
        connection.sendall(data[:at_once])
        for i in range(at_once, len(data)):
            connection.sendall(data[i:i + 1])
            time.sleep(pause)
        silent(connection, service)
    return reply


def endless(head, part):
    """The head, then the part again and again."""
    def reply(connection, _):
        connection.sendall(head)
        while True:
            connection.sendall(part)
    return reply


def restart(seconds):
    """Ends without a response, and refuses connections for a while."""
    def reply(_, service):
        service.go_away(seconds)
    return reply
