"""What the tests of the sandbox share: one that runs, and a client of it."""
import pytest

from programs import sandbox, started  # noqa: F401
from sandbox_client import Client


@pytest.fixture
def client(sandbox):
    return Client(sandbox.url)
