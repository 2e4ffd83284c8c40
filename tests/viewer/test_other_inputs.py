"""A single slice, and CT from NIfTI, in the review: seen, corrected, decided like any other case."""

import csv

import numpy as np
import pytest
from qtpy.QtWidgets import QDockWidget
from radiologist import sit_down

import glutseg
from glutseg.image import LEFT
from glutseg.phantom import PhantomPatient, PhantomScan, render, write_dicom

pytest.importorskip("napari")

ONE_SLICE = PhantomScan(matrix=300, pixel_mm=1.4, slice_mm=5.0, z_range_mm=(-1.0, 1.0))
SERIES = PhantomScan(matrix=300, pixel_mm=1.4, slice_mm=5.0, z_range_mm=(-90.0, 90.0))


def single_slice(folder):
    write_dicom(render(PhantomPatient(seed=3), ONE_SLICE), folder / "in")
    glutseg.run_folder(folder / "in", folder / "out", level="given", jobs=0)


def nifti(folder):
    import SimpleITK as sitk

    (folder / "in").mkdir()
    write_dicom(render(PhantomPatient(seed=3), SERIES), folder / "dicom")
    sitk.WriteImage(glutseg.load(folder / "dicom").to_sitk(), str(folder / "in" / "P-17.nii.gz"))
    glutseg.run_folder(folder / "in", folder / "out", jobs=0)


@pytest.mark.parametrize(("make", "has_section"), [(single_slice, False), (nifti, True)])
def test_a_case_is_seen_corrected_and_decided(screen, tmp_path, make, has_section):
    make(tmp_path)
    person = sit_down(screen, tmp_path / "out", "anna")
    name = person.wait_for_picture()
    sections = [
        dock
        for dock in person.viewer.window._qt_window.findChildren(QDockWidget)
        if dock.objectName().startswith("coronal section")
    ]
    person.wait(lambda: [dock.isVisible() for dock in sections] == [has_section])
    before = person.panel.opened.automatic.area_mm2("left")
    muscle = person.outline_on_screen(LEFT)
    row = int(np.median(np.nonzero(muscle)[0]))
    start = int(np.nonzero(muscle[row])[0][0])
    person.press("1", where=person.canvas)  # napari's eraser
    person.stroke((row, start), (row + 2, start))
    with person.bot.waitSignal(person.panel.decided, timeout=30_000):
        person.press("K", alt=True)
    person.viewer.close()
    with (tmp_path / "out/measurements.csv").open(newline="", encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    assert (line["case_id"], line["decision"], line["status"]) == (name, "corrected", "ok")
    assert 0.9 * before < float(line["area_left_mm2"]) < before
