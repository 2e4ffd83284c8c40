"""The parameters of a phantom: patient and scan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Sex = Literal["F", "M"]
_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class PhantomPatient:
    """A synthetic patient; the same values give the same body.

    Attributes
    ----------
    seed : of the individual shape, the pattern of fat and the noise
    patient_id : letters, digits, dot, dash and underscore; also names the study's folder
    height_m : written to the header; the skeleton is scaled with it
    muscle_scale_left, muscle_scale_right : thickness of each gluteus maximus; 1 is average
    muscle_hu : density of gluteus maximus without fat
    muscle_fat_fraction : share of the muscle that is infiltrated by fat, 0 to 0.5
    subcutaneous_mm : thickness of the subcutaneous fat
    plane_mm : mean thickness of the fat planes between muscles
    plane_gap_fraction : share of the planes without visible fat
    shape_mm : standard deviation of the individual shape from the average
    asymmetry_mm : standard deviation between the two sides
    roll_degrees : rotation about the long axis, positive raises the left side
    """

    seed: int = 1
    patient_id: str = "PHANTOM-0001"
    sex: Sex = "F"
    age: int = 60
    height_m: float = 1.65
    muscle_scale_left: float = 1.0
    muscle_scale_right: float = 1.0
    muscle_hu: float = 55.0
    muscle_fat_fraction: float = 0.06
    subcutaneous_mm: float = 26.0
    plane_mm: float = 1.2
    plane_gap_fraction: float = 0.25
    shape_mm: float = 2.0
    asymmetry_mm: float = 0.7
    roll_degrees: float = 0.0

    def __post_init__(self) -> None:
        if not _ID_PATTERN.fullmatch(self.patient_id):
            msg = f"a patient_id is made of letters, digits, '.', '_' and '-', got {self.patient_id!r}"
            raise ValueError(msg)
        _check("height_m", self.height_m, 0.9, 2.3)
        _check("age", self.age, 0, 120)
        for name in ("muscle_scale_left", "muscle_scale_right"):
            _check(name, getattr(self, name), 0.3, 1.6)
        _check("muscle_fat_fraction", self.muscle_fat_fraction, 0, 0.5)
        _check("subcutaneous_mm", self.subcutaneous_mm, 4, 80)
        _check("plane_mm", self.plane_mm, 0, 4)
        _check("plane_gap_fraction", self.plane_gap_fraction, 0, 1)
        _check("shape_mm", self.shape_mm, 0, 4)
        _check("asymmetry_mm", self.asymmetry_mm, 0, 3)
        _check("roll_degrees", self.roll_degrees, -30, 30)


@dataclass(frozen=True)
class PhantomScan:
    """Parameters of the scan.

    Attributes
    ----------
    matrix : rows and columns
    pixel_mm, slice_mm : voxel size; slice thickness and spacing are equal
    z_range_mm : centres of the lowest and (at most) the highest slice, relative to the femoral heads' centres
    centre_mm : LPS (x, y, z) of the point midway between the femoral heads' centres
    noise_hu : standard deviation inside the body
    blur_mm : standard deviation of the in-plane point spread function
    contrast_hu : enhancement of the vessels
    """

    matrix: int = 512
    pixel_mm: float = 0.8
    slice_mm: float = 3.0
    z_range_mm: tuple[float, float] = (-110.0, 130.0)
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    noise_hu: float = 12.0
    blur_mm: float = 0.6
    contrast_hu: float = 0.0
    kernel: str = "B30f"
    kvp: int = 120

    def __post_init__(self) -> None:
        _check("matrix", self.matrix, 8, 2048)
        _check("pixel_mm", self.pixel_mm, 0.2, 5)
        _check("slice_mm", self.slice_mm, 0.3, 20)
        _check("noise_hu", self.noise_hu, 0, 200)
        _check("blur_mm", self.blur_mm, 0, 5)
        low, high = self.z_range_mm
        if not -150 <= low < high <= 170:
            msg = f"z_range_mm must rise within -150 to 170, got {self.z_range_mm}"
            raise ValueError(msg)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        msg = f"{name} must be {low:g} to {high:g}, got {value!r}"
        raise ValueError(msg)
