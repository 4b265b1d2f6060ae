"""Starts the desktop of QGIS with the plugin, in a profile of its own and on a screen in
memory. The script that runs in it uses desktop_session."""
import contextlib
import json
import os
import shutil
import subprocess

import pytest

import secret_search
from conftest import FOLDER

PLUGIN = FOLDER.parents[1] / "plugin" / "qgis" / "giq"
SETTINGS = """[qgis]
checkVersion=false
[PythonPlugins]
giq=true
processing=true
"""
# A desktop starts in seconds, in a minute or two on a machine that does much else.
LONGEST_S = 400
USERS = 2000  # the group of Gdal.as_user()


@contextlib.contextmanager
def start_screen(folder):
    """The display of an X server that draws to memory."""
    ours, theirs = os.pipe()
    with open(folder / "xvfb.log", "wb") as log:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(theirs), "-nolisten", "tcp", "-screen", "0",
             "1280x900x24"], pass_fds=[theirs], stderr=log)
    os.close(theirs)
    try:
        with os.fdopen(ours) as pipe:
            number = pipe.readline().strip()
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def screen(tmp_path):
    with start_screen(tmp_path) as display:
        yield display


class Desktop:
    """A desktop of a client; each run() starts it anew with the same profile. `user` is the
    number of the user who runs it, None for the one of the test."""

    def __init__(self, client, screen, user=None):
        self.client = client
        self.screen = screen
        self.user = user
        self.profile = client.folder / "profiles" / "default"
        (self.profile / "QGIS").mkdir(parents=True)
        self.settings = self.profile / "QGIS" / "QGIS3.ini"
        self.settings.write_text(SETTINGS)
        shutil.copytree(PLUGIN, self.profile / "python" / "plugins" / "giq",
                        ignore=shutil.ignore_patterns("__pycache__"))

    def run(self, script, *arguments, env=None, project=None):
        """What the function work() of a script, given the arguments, returns."""
        (self.client.folder / "script.py").write_text(script)
        (self.client.folder / "arguments.json").write_text(
            json.dumps([str(word) for word in arguments]))
        (self.client.folder / "begin.py").write_text(
            "import desktop_session\ndesktop_session.begin()\n")
        command = ["qgis", "--nologo", "--noversioncheck", "--profiles-path",
                   self.client.folder, "--code", "begin.py",
                   *(["--project", project] if project else [])]
        if self.user is not None:
            command = self.client.as_user(self.user, *command)
            for path in (self.client.folder, *self.client.folder.rglob("*")):
                os.chown(path, self.user, USERS)
        self.client.run(*command,
                        timeout=LONGEST_S,
                        env={"DISPLAY": self.screen, "QT_QPA_PLATFORM": "xcb",
                             "PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1",
                             "LC_ALL": "C.UTF-8", **(env or {})})
        return json.loads((self.client.folder / "found.json").read_text())


@pytest.fixture
def desktop(client, screen):
    return Desktop(client, screen)
