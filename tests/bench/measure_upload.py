"""Uploads against the curl program's, net of the same with a file of a few bytes."""
import os
import pathlib
import shutil
import statistics
import tempfile

from side_by_side import in_turn

MEMORY = "/dev/shm"
CURL = ("curl", "-s", "-f", "-H", "X-API-KEY: sandbox", "-o", "/dev/null", "-F")


class Upload:
    """Ours reads a file twice: to know its content, and to send it."""

    def __init__(self, place, folder):
        self.place = place
        self.store = folder / "store"
        self.kept = place.state / "uploads"
        self.url = f"{place.url}/file/upload?sourceType=UNKNOWN"

    def ours(self, path):
        for folder in (self.store, self.kept):
            shutil.rmtree(folder, ignore_errors=True)
        self.kept.mkdir()
        return self.place.run("ogrinfo", "-q", f"GIQ:model=ndvi;upload={path};wait=no",
                              GIQ_STORE_DIR=str(self.store))

    def theirs(self, path):
        return self.place.run(*CURL, f"file=@{path}", self.url)


def measure(table, place, runs, mb=90):
    with tempfile.TemporaryDirectory(dir=MEMORY) as memory:
        folder = pathlib.Path(memory)
        small, large = folder / "small.bin", folder / "large.bin"
        small.write_bytes(b"small")
        large.write_bytes(os.urandom(mb * 1000 * 1000))
        upload = Upload(place, folder)
        ours = [upload.ours(small) for _ in range(5)]
        start = statistics.median(seconds for seconds, _ in ours)
        curl_start = statistics.median(upload.theirs(small)[0] for _ in range(5))
        pairs = in_turn(lambda: upload.ours(large), lambda: upload.theirs(large)[0], runs)
        table.add(f"upload, {mb} MB from memory: curl",
                  [(a[0] - start, b - curl_start) for a, b in pairs])
        idle = statistics.median(peak for _, peak in ours)
        table.single(f"upload, {mb} MB from memory: memory above idle",
                     [(a[1] - idle) / 1024 for a, _ in pairs], "MiB", bound=6)
