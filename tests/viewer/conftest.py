"""A display to show the viewer on, and a run of ten cases to review.

Where DISPLAY is not set and Xvfb is on PATH one is started for the session; where there is neither, or napari
is not installed, the tests of the screen are skipped with that reason.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from viewer_run import Ten, make_ten

from glutseg import batch, dicom
from glutseg.protocol import load_protocol


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The display's name; Xvfb finds a free number by itself."""
    pytest.importorskip("napari", reason="the extra 'viewer' is not installed")
    pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
    if os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
        return
    if shutil.which("Xvfb") is None:
        pytest.skip("there is no display, and Xvfb is not installed")
    reading, writing = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        "1600x1000x24",
        "-nolisten",
        "tcp",
        "-terminate",
    ]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    if not number:
        server.wait()
        pytest.skip("Xvfb could not be started")
    os.environ["DISPLAY"] = f":{number}"
    yield os.environ["DISPLAY"]  # it ends with its last client, which is Qt at the end of this process


@pytest.fixture
def screen(display, qtbot):
    """A display and a Qt application."""
    return qtbot


@pytest.fixture(scope="session")
def ten_made(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("ten")


@pytest.fixture
def ten(truth_rooms, ten_made, tmp_path) -> Ten:
    """A run of ten cases and its images; the run is the test's own."""
    if not (ten_made / "out").exists():
        truth_rooms.write(ten_made / "one")
        batch.run(dicom.scan(ten_made / "one"), load_protocol(), None, ten_made / "first")
        make_ten(ten_made / "one", ten_made / "first", ten_made)
    shutil.copytree(ten_made / "out", tmp_path / "out")
    return Ten(tmp_path / "out", ten_made / "in")
