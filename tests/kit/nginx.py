"""nginx as a process of the test's own, with a folder, ports and a log of its own."""
import grp
import json
import os
import pwd
import socket
import subprocess

import secret_search
from programs import without_sanitizer

# The members of a log entry, and nginx's variable for each.
SEEN = {"protocol": "server_protocol", "method": "request_method", "uri": "uri",
        "status": "status", "port": "server_port", "tls": "ssl_protocol",
        "client": "ssl_client_s_dn", "key": "http_x_api_key",
        "bearer": "http_authorization", "team": "http_x_team", "cookie": "http_cookie",
        "range": "http_range", "length": "sent_http_content_length"}
CONFIGURATION = """
daemon off;
user {user};
worker_processes 1;
pid nginx.pid;
error_log error.log info;
events {{}}
http {{
    log_format seen escape=json '{{{seen}}}';
    access_log access.log seen;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    ssl_protocols TLSv1.2 TLSv1.3;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;
{servers}}}
"""
SERVER = """    server {{
        listen 127.0.0.1:{port}{kind};
        {lines}
    }}
"""


class Server:
    """A server block on a port of its own, with https where it has a certificate.
    `lines` are more directives."""

    def __init__(self, *lines, certificate=None, http2=False):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        self.origin = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/public"
        self.kind = (" ssl" if certificate else "") + (" http2" if http2 else "")
        self.lines = list(lines)
        if certificate is not None:
            self.lines += [f"ssl_certificate {certificate.path};",
                           f"ssl_certificate_key {certificate.key};"]

    def block(self):
        return SERVER.format(port=self.port, kind=self.kind,
                             lines="\n        ".join(self.lines))


def front_of(url):
    """Passes every request on to the service at `url`."""
    return f"location / {{ proxy_pass {url.removesuffix('/public')}; }}"


def moved(call, target, status=302):
    """Redirects the requests for a call."""
    return (f"location /public/inference/{call} "
            f"{{ return {status} {target}/public/inference/{call}$is_args$args; }}")


class Nginx:
    """The sockets are made by the servers and handed over, so no other program can take
    a port, and a client that is earlier than nginx waits for it."""

    def __init__(self, folder, *servers):
        self.folder = folder
        secret_search.is_input(folder).mkdir()  # its log has the headers of the requests
        user = f"{pwd.getpwuid(os.getuid())[0]} {grp.getgrgid(os.getgid())[0]}"
        seen = ",".join(f'"{name}":"${variable}"' for name, variable in SEEN.items())
        (folder / "nginx.conf").write_text(CONFIGURATION.format(
            user=user, seen=seen, servers="".join(server.block() for server in servers)))
        numbers = [server.socket.fileno() for server in servers]
        self.process = subprocess.Popen(
            ["/usr/sbin/nginx", "-p", str(folder), "-e", "error.log", "-c", "nginx.conf"],
            env={**without_sanitizer(), "NGINX": "".join(f"{n};" for n in numbers)},
            pass_fds=numbers, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for server in servers:
            server.socket.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    def seen(self, server=None):
        """The requests that were answered, in the order in which they ended."""
        path = self.folder / "access.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [entry for entry in map(json.loads, lines)
                if server is None or entry["port"] == str(server.port)]
