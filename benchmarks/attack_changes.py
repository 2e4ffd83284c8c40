"""What hospitals, archives and other programs do to a series: changes of headers, pixels and slices."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from scipy import ndimage as ndi

AIR_HU = -1000
GRAIN_HU = 15
"""What a reconstruction is filled with beyond its circle, by scanners that do not use one value."""

Pixels = npt.NDArray[np.int16]
Flat = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Series:
    """Headers without pixels, and HU (z, y, x), both from the feet upwards; pixels and slices in mm."""

    headers: tuple[Dataset, ...]
    hu: Pixels

    @property
    def z_mm(self) -> list[float]:
        return [float(h.ImagePositionPatient[2]) for h in self.headers]

    @property
    def slice_mm(self) -> float:
        return self.z_mm[1] - self.z_mm[0]

    @property
    def pixel_mm(self) -> tuple[float, float]:
        y_mm, x_mm = self.headers[0].PixelSpacing
        return float(y_mm), float(x_mm)

    def showing(self, hu: Pixels) -> Series:
        return replace(self, hu=np.clip(np.rint(hu), -1024, 3071).astype(np.int16))

    def picked(self, indices: list[int]) -> Series:
        return Series(tuple(copy.deepcopy(self.headers[i]) for i in indices), self.hu[indices])

    def stating(self, **tags: Any) -> Series:
        """With other values in every header; a function is given the header."""
        headers = copy.deepcopy(self.headers)
        for header in headers:
            for name, value in tags.items():
                setattr(header, name, value(header) if callable(value) else value)
        return replace(self, headers=headers)

    def at_z(self, z_mm: list[float]) -> Series:
        headers = copy.deepcopy(self.headers)
        for header, z in zip(headers, z_mm, strict=True):
            header.ImagePositionPatient = [*header.ImagePositionPatient[:2], f"{z:g}"]
            header.pop("SliceLocation", None)
        return replace(self, headers=headers)


@dataclass(frozen=True)
class Measured:
    """What was measured in a series as it is: the level's slice and the outlines there (y, x)."""

    series: Series
    level: int
    maximus: Flat
    mean_area_mm2: float

    def row_with(self, share: float) -> int:
        """The row that leaves this share of the muscle behind it."""
        return int(np.quantile(np.nonzero(self.maximus)[0], 1 - share))


Attack = Callable[[Measured, Measured], Series]


def spacing(factor: float, *, told: bool) -> Attack:
    """Pixels stated by a factor too large; ``told``: the diameter of the reconstruction is the true one."""

    def attack(scene: Measured, _: Measured) -> Series:
        y_mm, x_mm = scene.series.pixel_mm
        columns = scene.series.hu.shape[2]
        truth = {
            "ReconstructionDiameter": f"{columns * x_mm:g}",
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        }
        known: dict[str, Any] = truth if told else {"ReconstructionDiameter": None}
        return scene.series.stating(PixelSpacing=[f"{y_mm * factor:g}", f"{x_mm * factor:g}"], **known)

    return attack


def as_if_square(scene: Measured, _: Measured) -> Series:
    """Pixels 1.25 times as wide as high, stated as square."""
    series = scene.series
    squeezed = ndi.zoom(series.hu, (1, 1, 0.8), order=1)
    return series.showing(squeezed)


def values(of: Callable[[Pixels], Any]) -> Attack:
    return lambda scene, _: scene.series.showing(of(scene.series.hu.astype(np.int32)))


def shown_where(shown: Callable[[Measured], Flat], grain_hu: float) -> Attack:
    """Air with some noise wherever the series is not shown (y, x)."""

    def attack(scene: Measured, _: Measured) -> Series:
        hu = scene.series.hu
        noise = np.random.default_rng(3).normal(AIR_HU, grain_hu, hu.shape)
        return scene.series.showing(np.where(shown(scene), hu, noise))

    return attack


def circle(share: float) -> Callable[[Measured], Flat]:
    """A circle about a point before the muscles, so that this share of them lies beyond."""

    def shown(scene: Measured) -> Flat:
        rows, columns = np.nonzero(scene.maximus)
        middle = rows.min() - 40, columns.mean()
        y, x = np.indices(scene.maximus.shape)
        radius = np.hypot(y - middle[0], x - middle[1])
        return np.asarray(radius < np.quantile(radius[scene.maximus], 1 - share))

    return shown


def above_row(share: float) -> Callable[[Measured], Flat]:
    return lambda scene: np.indices(scene.maximus.shape)[0] < scene.row_with(share)


def cropped(scene: Measured, _: Measured) -> Series:
    """The rows behind are not in the array."""
    return scene.series.showing(scene.series.hu[:, : scene.row_with(0.12)])


def black_box(scene: Measured, _: Measured) -> Series:
    """A rectangle at the side of one muscle, as de-identification leaves."""
    rows, columns = np.nonzero(scene.maximus)
    right = int(np.quantile(columns, 0.12))
    hu = scene.series.hu.copy()
    hu[:, int(np.quantile(rows, 0.05)) : rows.max(), columns.min() - 10 : right] = -1024
    return scene.series.showing(hu)


def of_donor(scene: Measured, donor: Measured, offset: int) -> Pixels:
    """The donor's slice as far above its level, on the scene's pixels, its muscles where the scene's are."""
    own, other = scene.series, donor.series
    index = donor.level + round(offset * own.slice_mm / other.slice_mm)
    scale = [a / b for a, b in zip(own.pixel_mm, other.pixel_mm, strict=True)]
    centres = [np.mean(np.nonzero(s.maximus), axis=1) for s in (scene, donor)]
    start = centres[1] - np.multiply(scale, centres[0])
    index = min(max(index, 0), len(other.hu) - 1)
    moved = ndi.affine_transform(
        other.hu[index].astype(np.float32), scale, start, output_shape=own.hu.shape[1:], order=1, cval=-1024
    )
    return np.asarray(np.rint(moved), np.int16)


def foreign(below: int, above: int | None) -> Attack:
    """Slices of the donor from so many below the level to so many above it, or to the top."""

    def attack(scene: Measured, donor: Measured) -> Series:
        hu = scene.series.hu.copy()
        stop = len(hu) if above is None else scene.level + above + 1
        for index in range(scene.level - below, stop):
            hu[index] = of_donor(scene, donor, index - scene.level)
        return scene.series.showing(hu)

    return attack


def duplicated(*, others: bool) -> Attack:
    """Five slices twice, the second time with the donor's pixels or with the same."""

    def attack(scene: Measured, donor: Measured) -> Series:
        around = list(range(scene.level - 2, scene.level + 3))
        twice = scene.series.picked([*range(len(scene.series.hu)), *around])
        if others:
            twice.hu[-5:] = [of_donor(scene, donor, i - scene.level) for i in around]
        return twice

    return attack


def in_reverse(scene: Measured, _: Measured) -> Series:
    part = slice(scene.level - 6, scene.level + 6)
    hu = scene.series.hu.copy()
    hu[part] = hu[part][::-1]
    return scene.series.showing(hu)


def closed_up(scene: Measured, _: Measured) -> Series:
    """27 mm around the level cut out, the positions above moved down."""
    return _without(scene, 27, keep_z=False)


def with_gap(scene: Measured, _: Measured) -> Series:
    return _without(scene, 5 * scene.series.slice_mm, keep_z=True)


def _without(scene: Measured, mm: float, *, keep_z: bool) -> Series:
    series, n = scene.series, round(mm / scene.series.slice_mm)
    start = scene.level - n // 2
    rest = series.picked([i for i in range(len(series.hu)) if not start <= i < start + n])
    return rest if keep_z else rest.at_z(series.z_mm[: len(rest.hu)])


def tilted(scene: Measured, _: Measured) -> Series:
    """A gantry tilted by 20 degrees, positions as if it stood upright; GantryDetectorTilt alone tells."""
    series, angle = scene.series, np.deg2rad(20)
    z, y, x = np.indices(series.hu.shape, dtype=np.float32)
    from_middle = y - series.hu.shape[1] / 2
    rise = from_middle * series.pixel_mm[0] * np.sin(angle) / series.slice_mm
    at = np.stack([z + rise, series.hu.shape[1] / 2 + from_middle * np.cos(angle), x])
    hu = ndi.map_coordinates(series.hu, at, order=1, cval=-1024)
    return series.showing(hu).stating(GantryDetectorTilt="20")


def slab(**tags: Any) -> Attack:
    """Of every 15 mm the greatest value."""

    def attack(scene: Measured, _: Measured) -> Series:
        n = max(2, round(15 / scene.series.slice_mm))
        return scene.series.showing(ndi.maximum_filter1d(scene.series.hu, n, axis=0)).stating(**tags)

    return attack


def stating(**tags: Any) -> Attack:
    return lambda scene, _: scene.series.stating(**tags)


def rounded(scene: Measured, _: Measured) -> Series:
    """Slices 2.5 mm apart whose positions an archive rounded to 1 mm."""
    series = scene.series
    n = int((len(series.hu) - 1) * series.slice_mm / 2.5)
    at = np.arange(n) * 2.5 / series.slice_mm
    low = at.astype(int)
    share = (at - low)[:, None, None].astype(np.float32)
    hu = series.hu[low] * (1 - share) + series.hu[low + 1] * share
    fine = Series(tuple(copy.deepcopy(series.headers[i]) for i in low), np.asarray(hu, np.int16))
    z_mm = [float(np.rint(series.z_mm[0] + i * 2.5)) for i in range(n)]
    return fine.showing(hu).at_z(z_mm).stating(SliceThickness="2.5")


def rolled(degrees: float) -> Attack:
    return lambda scene, _: scene.series.showing(
        ndi.rotate(scene.series.hu, degrees, (1, 2), reshape=False, order=1, cval=-1024)
    )


AS_IT_IS = "as it is"

ATTACKS: Mapping[str, Attack] = {
    AS_IT_IS: lambda scene, _: scene.series,
    **{f"spacing x {f}, the diameter tells": spacing(f, told=True) for f in (0.8, 0.9, 1.1, 1.3)},
    **{f"spacing x {f}, nothing tells": spacing(f, told=False) for f in (0.8, 0.9, 1.1, 1.3)},
    "pixels wider than high, stated square": as_if_square,
    "all HU -24": values(lambda hu: hu - 24),
    "all HU +50": values(lambda hu: hu + 50),
    "HU x 1.5": values(lambda hu: hu * 1.5),
    "round field of view, 25 % beyond": shown_where(circle(0.25), GRAIN_HU),
    "round field of view, 12 % beyond": shown_where(circle(0.12), GRAIN_HU),
    "back cut off at a row, with noise": shown_where(above_row(0.12), GRAIN_HU),
    "back cut off at a row, one value": shown_where(above_row(0.12), 0),
    "back cropped": cropped,
    "3 slices of somebody else": foreign(1, 1),
    "11 slices of somebody else": foreign(5, 5),
    "from the level upwards somebody else": foreign(0, None),
    "duplicates with other pixels": duplicated(others=True),
    "duplicates with the same pixels": duplicated(others=False),
    "12 slices in reverse order": in_reverse,
    "27 mm cut out and closed up": closed_up,
    "tilt told only by GantryDetectorTilt": tilted,
    "maximum of 15 mm, thickness stated": slab(SliceThickness="15"),
    "maximum of 15 mm, nothing stated": slab(),
    "maximum of 15 mm, in ImageType": slab(ImageType=["DERIVED", "SECONDARY", "AXIAL", "MIP"]),
    "a black box over an edge": black_box,
    "Modality PT": stating(Modality="PT"),
    "a quadruped": stating(AnatomicalOrientationType="QUADRUPED"),
    "padding value of fat": stating(PixelPaddingValue=-100),
    "positions rounded to 1 mm": rounded,
    "a gap of 5 slices at the level": with_gap,
    "rolled by 20 degrees": rolled(20),
    "rolled by 30 degrees": rolled(30),
    "rolled by -30 degrees": rolled(-30),
}
