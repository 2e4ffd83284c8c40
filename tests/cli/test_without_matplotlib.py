"""What the core needs does not include matplotlib, which takes as long to load as a picture to draw."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from glutseg import cli

ROOT = Path(__file__).parents[2]
SERIES = ROOT / "sample_dicom" / "PHANTOM-0001"


@pytest.fixture
def glutseg_without(tmp_path):
    """The command where importing matplotlib fails, in its worker processes as well."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "matplotlib.py").write_text("raise ImportError('not for this')\n")
    path = os.pathsep.join([str(tmp_path / "without"), str(ROOT / "src")])

    def command(*words):
        done = subprocess.run(
            [sys.executable, "-m", cli.__name__, *map(str, words)],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 2), done.stderr

    return command


def test_a_run_and_what_follows_it_import_no_matplotlib(glutseg_without, tmp_path):
    out = tmp_path / "out"
    glutseg_without("run", SERIES, "-o", out)
    (overlay,) = out.glob("cases/*/overlay.png")
    assert overlay.stat().st_size > 100_000
    glutseg_without("status", out)
    glutseg_without("report", out)
    glutseg_without("export", out, "--format", "nifti", "-o", tmp_path / "masks")
    (mask,) = out.glob("cases/*/mask.nii.gz")
    glutseg_without("measure", SERIES, "--mask", mask, "-o", tmp_path / "again")
