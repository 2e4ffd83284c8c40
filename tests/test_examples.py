"""The examples run as they are, in a folder where what they ask for lies, and their types are right."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest

from glutseg.phantom.cohort import cohort_members, write_cohort

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
COPIES = 3
"""Patients per group; the least that a study compares."""


def run_example(name, folder):
    """Its words; its pictures lie in ``folder``."""
    env = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, EXAMPLES / name], cwd=folder, capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def sample(tmp_path):
    shutil.copytree(ROOT / "sample_dicom", tmp_path / "sample_dicom")
    return tmp_path


def write_copies(folder):
    """One phantom for each group under the ids of several patients, of different heights."""
    for source in write_cohort(folder.parent / "phantoms", cohort_members(per_group=1)):
        for path in source.rglob("*.dcm"):
            ds = pydicom.dcmread(path)
            study, series, image = ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID
            for n in range(COPIES):
                ds.PatientID = f"{source.name}-{n}"
                ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{study}.{n}", f"{series}.{n}"
                ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{image}.{n}"
                copy = folder / ds.PatientID / path.name
                copy.parent.mkdir(parents=True, exist_ok=True)
                ds.save_as(copy)
    rows = ["patient_id,group,height_m,age_years,visits"]
    for i, patient in enumerate(sorted(p.name for p in folder.iterdir())):
        group = "control" if patient.startswith("COHORT-0001") else "back-pain"
        rows.append(
            f"{patient},{group},{1.60 + 0.03 * (i % COPIES)},{50 + 7 * i % 9},{i * (group != 'control')}"
        )
    (folder / "participants.csv").write_text("\n".join(rows), encoding="utf-8")


def test_one_patient(sample):
    said = run_example("one_patient.py", sample)
    areas = [int(a) for a in re.findall(r"area (\d+) mm²", said)]
    assert len(areas) == 2
    assert all(2000 < area < 6000 for area in areas)
    assert {"one_patient.png", "one_patient.nii.gz"} <= {p.name for p in sample.iterdir()}


def test_own_outlines(sample):
    said = run_example("own_outlines.py", sample)
    automatic, mine = ([int(a) for a in re.findall(r"(\d+) mm²", line)] for line in said.splitlines()[:2])
    assert all(0 < own < other for own, other in zip(mine, automatic, strict=True))
    assert len(re.findall(r"Dice 0\.9\d\d", said)) == 2
    assert (sample / "own_outlines.png").stat().st_size > 10_000


def test_two_groups(tmp_path):
    write_copies(tmp_path / "cohort")
    said = run_example("two_groups.py", tmp_path)
    assert "6 patients: 3 back-pain, 3 control." in said
    difference = re.search(r"difference (-\d+) mm²/m", said)
    assert difference, "the muscles of the group with back pain are made thinner"
    assert (tmp_path / "two_groups.png").stat().st_size > 10_000
    assert (tmp_path / "out" / "study" / "figures" / "groups.svg").exists()


def test_they_open_as_notebooks():
    for path in EXAMPLES.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# %% [markdown]\n# # ")
        assert text.count("# %%\n") >= 4
