"""What tests share about results that name other files and hosts: a secret file, a
host that counts who comes, and giving a file as the result."""
import socket
import threading

from scripted import Response

NAME = "GIQ:model=m;file=f"
SECRET = "the-secret-of-another-file"


def give(service, body, name):
    service.script["download"] = [Response(body, chunked=True, headers={
        "Content-Disposition": f"attachment; filename={name}"})]


def refused(gdal, service, command=("ogrinfo", "-al", NAME)):
    """The one error of a result that is refused; nothing of it is kept."""
    text = gdal.fails(*command, tag="result")
    assert not list(gdal.store.glob("v1/*/result"))
    assert len(service.calls("run")) == 1
    return text


class Host:
    """A host that answers nobody and counts who asks."""

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
