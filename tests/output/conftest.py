"""One case with a mask on a small grid, stored the other way round than canonical order."""

from dataclasses import dataclass

import numpy as np
import pytest

from glutseg.errors import Flag
from glutseg.image import SIDES, CtImage, Geometry, Mask
from glutseg.measurement import measure_slice, profile
from glutseg.protocol import Protocol
from glutseg.result import CaseResult, Height, Level, MuscleResult, SeriesRecord

PROTOCOL = Protocol(name="test")
ERROR_BOUND_PERCENT = {"left": 4.0, "right": 14.0}
OTHER_AREA_MM2 = {"left": None, "right": 600.0}


@dataclass(frozen=True)
class Example:
    result: CaseResult
    volume: CtImage
    mask: Mask


def make_example(patient_id="P-1", study_uid="1.2.3", case_id="P-1-0000000000", direction=None) -> Example:
    downwards = (1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0)
    grid = Geometry((7, 40, 60), (5.0, 1.5, 2.0), (-60.0, -30.0, 100.0), direction or downwards)
    hu = np.full(grid.shape, -1000, np.int16)
    hu[:, 5:35, 5:55] = -100
    hu[:, 20:30, 10:50] = 50
    labels = np.zeros(grid.shape, np.uint8)
    labels[2:5, 20:30, 10:28] = 2
    labels[2:5, 20:30, 32:49] = 1
    volume, mask = CtImage.from_array(hu, grid), Mask.from_array(labels, grid)
    series = SeriesRecord(
        "1.2.3.4", "pelvis", "B30f", "120", "", 5.0, (1.5, 2.0), 5.0, 7, "1.2.3.4.5", "only one",
        grid_slices=7, runs_to_feet=grid.runs_to_feet,
    )  # fmt: skip
    measured = measure_slice(volume, mask, 3, PROTOCOL.tissue)
    result = CaseResult(
        case_id=case_id,
        patient_id=patient_id,
        study_uid=study_uid,
        study_date="2020-01-31",
        status="review",
        flags=(Flag("sides-differ", "by 6 %"), Flag("outline-uncertain", "40 %", "left")),
        series=series,
        level=Level(
            "femoral-head-top", 3, volume.geometry.slice_z_mm(3), {"femoral-head-top:left": (1.0, 2.0, 3.0)}
        ),
        muscles=tuple(
            MuscleResult(
                "maximus",
                side,
                measured[side],
                ERROR_BOUND_PERCENT[side],
                agreement=0.9,
                other_area_mm2=OTHER_AREA_MM2[side],
            )
            for side in SIDES
        ),
        profile=profile(volume, mask, 3, range(2, 5), PROTOCOL.tissue),
        height=Height(1.6, "dicom"),
        rejected_series=(("1.2.9", "a localizer"),),
        seconds={"read": 1.2345},
    )
    return Example(result, volume, mask)


@pytest.fixture
def example() -> Example:
    return make_example()


@pytest.fixture
def make():
    return make_example
