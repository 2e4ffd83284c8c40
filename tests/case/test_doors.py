"""One route: the same series gives the same area, to the pixel, through every way into the program."""

import json
import os
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import glutseg
from glutseg.case import measure_case
from glutseg.image import SIDES
from glutseg.phantom import PhantomPatient, PhantomScan, render, write_dicom
from glutseg.protocol import load_protocol
from glutseg.segmentation import AUTOMATIC
from glutseg.viewer.segmentation_process import SegmentationProcess

REAL = Path(__file__).parents[3] / "shared" / "cases" / "real-002" / "dicom"
LONG_SCAN = PhantomScan(matrix=192, pixel_mm=2.2, slice_mm=3.0, z_range_mm=(-140.0, 140.0))
"""Long enough for the localiser pass, so that a run does not read all of it."""


@pytest.fixture(scope="module")
def phantom():
    return render(PhantomPatient(seed=21), LONG_SCAN)


def areas_of_rows(out):
    record = json.loads(next((out / "cases").glob("*/case.json")).read_text(encoding="utf-8"))
    row = record["table_row"]
    return {side: row[f"area_{side}_mm2"] for side in SIDES}, row["slice_index"]


def by_command_line(folder, out):
    """A process of its own, which starts a worker process."""
    env = {**os.environ, "GLUTSEG_JOBS": "1"}
    command = [sys.executable, "-m", "glutseg.cli", "run", str(folder), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode in (0, 2), done.stderr
    return areas_of_rows(out)


def by_run_folder(folder, out):
    glutseg.run_folder(folder, out, jobs=0)
    return areas_of_rows(out)


def by_measure_study(folder, _):
    result = glutseg.measure_study(folder).result
    return {side: result.area_mm2(side) for side in SIDES}, result.stored_slice_index


def by_the_stages(folder, _):
    image = glutseg.load(folder)
    level = glutseg.find_level(image)
    sides = glutseg.measure(image, glutseg.segment(image, level), level)
    return {side: sides[side].area_mm2 for side in SIDES}, image.stored_slice(level.slice_index)


def by_the_route_itself(folder, _):
    image = glutseg.load(folder)
    result = measure_case(image).result
    return {side: result.area_mm2(side) for side in SIDES}, image.stored_slice(result.level.slice_index)


def by_the_viewer(folder, _):
    """*Measure by hand* segments so, in a process of its own."""
    image = glutseg.load(folder)
    with closing(SegmentationProcess()) as process:
        found = process.segment(image, load_protocol(), AUTOMATIC, threading.Event())
    labels = np.zeros(image.hu.shape, np.uint8)
    labels[found.start : found.stop] = found.labels
    sides = glutseg.measure(image, labels, found.slice_index)
    return {side: sides[side].area_mm2 for side in SIDES}, image.stored_slice(found.slice_index)


DOORS = (
    by_command_line,
    by_run_folder,
    by_measure_study,
    by_the_stages,
    by_the_route_itself,
    by_the_viewer,
)


def differences(folder, tmp_path):
    """Ways in that give another slice or other areas than the command line."""
    found = {door.__name__: door(folder, tmp_path / door.__name__) for door in DOORS}
    areas, slice_index = found["by_command_line"]
    assert all(area > 0 for area in areas.values())
    return {
        name: other
        for name, other in found.items()
        if other[1] != slice_index
        or other[0] != pytest.approx(areas, abs=5e-4)  # three decimals in the table
    }


@pytest.mark.slow
@pytest.mark.parametrize("position", ["HFS", "FFP"])
def test_a_phantom_through_every_door(phantom, tmp_path, position):
    write_dicom(phantom, tmp_path / "in", position=position)
    assert not differences(tmp_path / "in", tmp_path)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.skipif(not REAL.is_dir(), reason="the shared cases are not beside the checkout")
def test_a_real_patient_through_every_door(tmp_path):
    assert not differences(REAL, tmp_path)
