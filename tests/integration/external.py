"""Helpers for results with external references: a host that counts its visitors, and
giving a file as the result."""
import socket
import threading

from programs import PUBLISHED
from scripted import Response

NAME = "GIQ:model=m;file=f"
SECRET = "the-secret-of-another-file"


def give(service, body, name):
    service.script["download"] = [Response(body, chunked=True, headers={
        "Content-Disposition": f"attachment; filename={name}"})]


def refused(gdal, service, text, command=("ogrinfo", "-al", NAME)):
    """The result is refused with exactly this error, and nothing of it is kept."""
    error = gdal.fails(*command, tag="result")
    assert error == f"ERROR 4: GIQ[result] job job-1: {text}"
    assert not list(gdal.store.glob(f"v1/*/{PUBLISHED}"))
    assert service.names() == ["models", "run", "status", "download"]


def needs_source_driver(name, driver):
    """The error of a text file that names sources for this driver."""
    return (f"the result ({name}) needs the driver {driver}, which reads other files and "
            "hosts and is not allowed to open results. If you trust the service, open it "
            f"again with GIQ_RESULT_DRIVERS=+{driver}")


class Host:
    """A host that sends no response and counts its visitors."""

    def __init__(self):
        self.visits = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                visit, _ = self.socket.accept()
            except OSError:
                return
            self.visits += 1
            visit.close()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
