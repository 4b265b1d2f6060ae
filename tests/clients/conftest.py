"""What the tests of clients share: a sandbox for each file of tests, and a store of its
own for each test."""
import pathlib
import shutil

import pytest

from programs import AREA, DATA, Gdal, SCENE, Sandbox, started  # noqa: F401
from scripted import service  # noqa: F401
from secret_search import no_secret_in_files  # noqa: F401

VECTOR = f"GIQ:model=water;file={SCENE}"
RASTER = f"GIQ:model=ndvi;file={SCENE}"
FOLDER = pathlib.Path(__file__).parent


class Client(Gdal):
    """GDAL's programs and their friends, and what they cost since the test began."""

    def __init__(self, folder, sandbox):
        super().__init__(folder, sandbox.url)
        self.env["XDG_RUNTIME_DIR"] = str(folder)
        self.sandbox = sandbox
        self.before = len(sandbox.journal())

    def calls(self):
        """What reached the service, as Sandbox.calls()."""
        return self.sandbox.calls()[self.before:]

    def paid(self):
        """The run requests."""
        return [run for run in self.sandbox.runs() if run["n"] > self.before]

    def result(self, run):
        """What the service computed for a run request, as a path."""
        [path] = (self.sandbox.state / "jobs" / run["job"] / "result").iterdir()
        return path

    def local(self, model):
        """A copy of the result of the only job of a model."""
        [run] = [run for run in self.paid() if run["form"]["modelId"] == model]
        folder = self.folder / "local"
        folder.mkdir(exist_ok=True)
        return shutil.copy(self.result(run), folder)


@pytest.fixture(scope="module")
def sandbox(request, tmp_path_factory):
    """With the SANDBOX_OPTIONS of the file of tests."""
    made = Sandbox(tmp_path_factory.mktemp("service") / "sandbox", "--job-seconds", "0",
                   *getattr(request.module, "SANDBOX_OPTIONS", ()))
    yield made
    made.stop()


@pytest.fixture
def client(tmp_path, sandbox):
    return Client(tmp_path, sandbox)


@pytest.fixture
def scripted_client(tmp_path, service):
    made = Gdal(tmp_path, service.url)
    made.env["XDG_RUNTIME_DIR"] = str(tmp_path)
    return made
