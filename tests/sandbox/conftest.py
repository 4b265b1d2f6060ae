"""What the tests of the sandbox share: one that runs, and a client of it."""
import pytest

from programs import Sandbox
from sandbox_client import Client


@pytest.fixture
def sandbox(tmp_path):
    made = Sandbox(tmp_path / "sandbox")
    yield made
    made.stop()


@pytest.fixture
def client(sandbox):
    return Client(sandbox.url)
