"""A small phantom study, and its truth as a stand-in for the rooms that find and segment."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from glutseg import anatomy, dicom, segmentation
from glutseg.errors import GlutsegError
from glutseg.image import Mask
from glutseg.phantom import Phantom, PhantomPatient, PhantomScan, render, write_dicom

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # a busy one is slow, and no test is about that

SMALL_SCAN = PhantomScan(matrix=96, pixel_mm=4.4, slice_mm=5.0, z_range_mm=(-35.0, 40.0))
LEVEL_SLICE = 8
"""Measured by the stand-in, in canonical order."""


@dataclass(frozen=True)
class Stage:
    """One phantom, and ways to write and read it."""

    phantom: Phantom

    def write(self, folder: Path, patient_id: str = "PHANTOM-0001", **how) -> Path:
        patient = replace(self.phantom.patient, patient_id=patient_id)
        write_dicom(replace(self.phantom, patient=patient), folder, **how)
        return folder

    def study(self, folder: Path, **how) -> dicom.Study:
        (study,) = dicom.scan(self.write(folder, **how)).studies
        return study

    def true_area_mm2(self, side: str, k: int = LEVEL_SLICE) -> float:
        label = {"left": 1, "right": 2}[side]
        pixels = int((self.phantom.truth.labels[k] == label).sum())
        return pixels * self.phantom.volume.geometry.pixel_area_mm2


@pytest.fixture(scope="session")
def small_phantom() -> Phantom:
    return render(PhantomPatient(seed=5, height_m=1.6), SMALL_SCAN)


@pytest.fixture
def stage(small_phantom) -> Stage:
    return Stage(small_phantom)


@pytest.fixture
def truth_rooms(small_phantom, monkeypatch) -> Stage:
    """Anatomy and segmentation answer with the phantom's truth; everything else is the real thing."""

    def find_anatomy(volume, near=None):
        if not np.array_equal(volume.hu, small_phantom.volume.hu):
            raise GlutsegError("hips-not-found", "not the phantom")
        return "anatomy"

    def find_level(_, rule):
        k = LEVEL_SLICE if rule.slice_index is None else rule.slice_index
        z_mm = small_phantom.volume.geometry.slice_z_mm(k)
        return anatomy.Level(rule.landmark, k, z_mm, {"femoral-head-top:left": (1.0, 2.0, 3.0)})

    def segment(_, __, slices, *, whole=False, **_how):
        labels = np.zeros_like(small_phantom.truth.labels)
        if whole:  # a muscle that ends within the series
            slices = range(1, len(labels) - 1)
        labels[slices.start : slices.stop] = small_phantom.truth.labels[slices.start : slices.stop]
        mask = Mask(labels, small_phantom.truth.geometry)
        return segmentation.Segmentation(mask, {"left": 0.95, "right": 0.9})

    monkeypatch.setenv("GLUTSEG_JOBS", "0")  # other processes would not know the stand-ins
    monkeypatch.setattr(anatomy, "find_anatomy", find_anatomy)
    monkeypatch.setattr(anatomy, "find_level", find_level)
    monkeypatch.setattr(segmentation, "segment", segment)
    return Stage(small_phantom)
