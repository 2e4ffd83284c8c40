"""A small phantom study, and its truth as a stand-in for the rooms that find and segment."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from glutseg import dicom
from glutseg.phantom import Phantom, PhantomPatient, PhantomScan, render, write_dicom
from stand_ins import use_truth

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # a busy one is slow, and no test is about that

SMALL_SCAN = PhantomScan(matrix=96, pixel_mm=4.4, slice_mm=5.0, z_range_mm=(-35.0, 40.0))
SLOW = (
    *("anatomy/test_hips", "anatomy/test_levels", "anatomy/test_orientation", "anatomy/test_anatomy_shared"),
    *("anatomy/test_surroundings", "batch", "case/test_localiser_pass", "cli", "docs"),
    *("output/test_lock", "review/test_two_sessions"),
    *("dicom/test_dicom_hostile", "dicom/test_dicom_real", "dicom/test_dicom_shared"),
    *("dicom/test_dicom_syntaxes", "exchange", "pacs", "phantom", "report", "review/test_decisions"),
    *("segmentation", "study/test_recovery", "training", "viewer"),
    *("test_accuracy", "test_benchmarks", "test_examples", "test_house"),
)
"""Folders and files whose tests take seconds each: ``pytest -m "not slow"`` leaves them out."""


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)


LEVEL_SLICE = 8
"""Measured by the stand-in."""


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

    def true_area_mm2(self, side: str, slice_index: int = LEVEL_SLICE) -> float:
        label = {"left": 1, "right": 2}[side]
        pixels = int((self.phantom.truth.labels[slice_index] == label).sum())
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

    monkeypatch.setenv("GLUTSEG_JOBS", "0")  # other processes would not know the stand-ins
    use_truth(monkeypatch, [small_phantom], lambda *_: LEVEL_SLICE)
    return Stage(small_phantom)
