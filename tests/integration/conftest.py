"""What the integration tests share: a sandbox, a scripted service, and GDAL's
programs with the plugin that was built."""
import pytest

from batches import Jobs
from certificates import Authority
from external import SECRET, Host
from nginx import Nginx
from programs import Gdal, sandbox, started  # noqa: F401
from scripted import service  # noqa: F401
from secret_search import no_secret_in_files  # noqa: F401


@pytest.fixture
def gdal(tmp_path, sandbox):
    return Gdal(tmp_path, sandbox.url)


@pytest.fixture
def scripted_gdal(tmp_path, service):
    return Gdal(tmp_path, service.url)


@pytest.fixture
def jobs(service):
    """The scripted service has a job for each file."""
    return Jobs(service)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Signs the certificates of a test's servers."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def nginx(tmp_path, started):
    """Starts the one nginx of a test, with the servers that it is given."""
    return lambda *servers: started(Nginx(tmp_path / "nginx", *servers))


@pytest.fixture
def host(started):
    """A host that a result must not make GDAL contact."""
    return started(Host())


@pytest.fixture
def nothing_external(host, service):
    """No other host is contacted, and one job is paid for."""
    yield
    assert host.visits == 0
    assert len(service.calls("run")) == 1


@pytest.fixture
def secret(scripted_gdal):
    """A file that a result must not make GDAL read."""
    path = scripted_gdal.folder / "secret.csv"
    path.write_text(f"id,word\n1,{SECRET}\n")
    return path
