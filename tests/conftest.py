"""Each run of pytest has a root of its own for temporary folders. In the common one,
/tmp/pytest-of-<user>, every starting run resets the permissions, also while a test of
another run lets a second user into its folder."""
import os
import shutil
import tempfile

ROOT = "PYTEST_DEBUG_TEMPROOT"


def pytest_configure():
    if ROOT not in os.environ:
        os.environ[ROOT] = tempfile.mkdtemp(prefix="")


def pytest_unconfigure(config):
    """The folders of a run that failed stay."""
    session = config.pluginmanager.get_plugin("session")
    if session is None or session.exitstatus == 0:
        shutil.rmtree(os.environ[ROOT], ignore_errors=True)
