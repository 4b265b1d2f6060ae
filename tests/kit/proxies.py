"""What stands between a client and a service: tinyproxy as a process of the test's own,
a proxy whose responses are written down by a test, and a relay of connections."""
import select
import socket
import subprocess
import threading

import pytest

import secret_search
from programs import without_sanitizer

# libcurl's own program names what the library was built with.
NEEDS_NTLM = pytest.mark.skipif(
    " NTLM " not in subprocess.run(["curl", "-V"], stdout=subprocess.PIPE, text=True,
                                   check=True).stdout,
    reason="this libcurl has no NTLM")

TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 50
LogLevel Info
LogFile "{folder}/log"
PidFile "{folder}/pid"
{lines}
"""


class Tinyproxy:
    """`lines` are more of its configuration."""

    def __init__(self, folder, *lines):
        self.folder = folder
        secret_search.is_input(folder).mkdir()  # its configuration has the password
        self.lines = lines
        self.process = None
        while self.process is None:
            self.try_to_start()
        self.url = f"http://127.0.0.1:{self.port}"

    def try_to_start(self):
        """Another program may take the port before tinyproxy does, which ends then."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        config = self.folder / "conf"
        config.write_text(TINYPROXY.format(port=self.port, folder=self.folder,
                                           lines="\n".join(self.lines)))
        process = subprocess.Popen(["/usr/bin/tinyproxy", "-d", "-c", str(config)],
                                   env=without_sanitizer(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                continue
            self.process = process
            return

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    def log(self):
        return (self.folder / "log").read_text()

    def requests(self):
        """Method and address of each request, in order."""
        lines = [line.split("): ", 1)[1] for line in self.log().splitlines()
                 if "Request (file descriptor" in line]
        return [tuple(line.split()[:2]) for line in lines]


class Listener:
    """Serves each connection to a port of its own with reply(), in a thread."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.connections = 0
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            number = self.connections
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection, number),
                             daemon=True).start()

    def serve(self, connection, number):
        with connection:
            try:
                self.reply(connection, number)
            except OSError:
                pass

    def reply(self, connection, number):
        raise NotImplementedError


class Silent(Listener):
    """Takes connections and what comes, and says nothing."""

    def reply(self, connection, number):
        while connection.recv(65536):
            pass


def nth(script, number):
    """Its item of that number; the last one again and again."""
    return script[min(number, len(script) - 1)]


def carry(one, other):
    """Carry bytes both ways until either side ends."""
    while True:
        for ready in select.select([one, other], [], [])[0]:
            piece = ready.recv(65536)
            if not piece:
                return
            (other if ready is one else one).sendall(piece)


class Relay(Listener):
    """Carries the n-th connection to the n-th of `ports`; None closes it at once."""

    def __init__(self, *ports):
        self.ports = ports
        super().__init__()

    def reply(self, connection, number):
        port = nth(self.ports, number)
        if port is not None:
            with socket.create_connection(("127.0.0.1", port)) as other:
                carry(connection, other)


def read_head(connection):
    """The bytes up to the empty line."""
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            break
        got += piece
    return got.decode()


class ScriptedProxy(Listener):
    """Says the n-th of `script` to the n-th CONNECT; None opens the tunnel, which
    `established` announces. `heads` is what it was shown."""

    def __init__(self, *script,
                 established=b"HTTP/1.1 200 Connection established\r\n\r\n"):
        self.script = script or (None,)
        self.established = established
        self.heads = []
        super().__init__()

    def reply(self, connection, number):
        head = read_head(connection)
        self.heads.append(head)
        said = nth(self.script, number)
        if said is not None:
            connection.sendall(said)
            return
        host, port = head.split()[1].rsplit(":", 1)
        with socket.create_connection((host, int(port))) as other:
            connection.sendall(self.established)
            carry(connection, other)


CHALLENGES = {
    "digest": 'Digest realm="x", nonce="abc", qop="auth", algorithm=MD5',
    "ntlm": "NTLM",
}
NTLM_SECOND = "NTLM TlRMTVNTUAACAAAAAAAAADAAAAAGggEAASNFZ4mrze8AAAAAAAAAAAAAAAAwAAAA"
NTLM_THIRD = "NTLM TlRMTVNTUAAD"


def read_message(connection):
    """The head of a request or response, and its body, which has a length; an empty head
    at the end."""
    head = read_head(connection)
    length = 0
    for line in head.lower().split("\r\n"):
        if line.startswith("content-length:"):
            length = int(line.split(":")[1])
    body = b""
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return "", b""
        body += piece
    return head, body


class ChallengingProxy(Listener):
    """Wants a kind of credentials on plain http. Passes each request that has them to the
    service at `port`, and ends the connection instead of returning the first response to
    a POST."""

    def __init__(self, kind, port):
        self.kind = kind
        self.service_port = port
        self.posts = 0
        super().__init__()

    def reply(self, connection, number):
        is_known = False
        while True:
            head, body = read_message(connection)
            if not head:
                return
            if not is_known and not self.accepts(head):
                connection.sendall(self.challenge(head))
                continue
            is_known = self.kind == "ntlm"  # which is for the whole connection
            response = self.forward(head, body)
            if head.startswith("POST"):
                self.posts += 1
                if self.posts == 1:
                    return
            connection.sendall(response)

    def accepts(self, head):
        wanted = NTLM_THIRD if self.kind == "ntlm" else "Digest username="
        return f"Proxy-Authorization: {wanted}" in head

    def challenge(self, head):
        has_begun = self.kind == "ntlm" and "Proxy-Authorization: NTLM" in head
        said = NTLM_SECOND if has_begun else CHALLENGES[self.kind]
        return ("HTTP/1.1 407 Proxy Authentication Required\r\n"
                f"Proxy-Authenticate: {said}\r\nContent-Length: 0\r\n\r\n").encode()

    def forward(self, head, body):
        with socket.create_connection(("127.0.0.1", self.service_port)) as service:
            service.sendall(head.encode() + body)
            head, body = read_message(service)
            return head.encode() + body
