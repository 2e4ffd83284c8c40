"""How well the level is found in every situation that can be made from cases with known bones.

    python benchmarks/level.py [--cases DIR ...] [--only WORD ...] [--each]

Each DIR holds one folder per case: dicom/ and truth.nii.gz (7 femur, 6 hip bone, 8 sacrum). Every
case is cropped, thickened, turned, moved, given metal or robbed of a bone with its truth alongside,
and the level is compared with the mean height of the highest slices that show the two femurs. Rows
marked "refuse" must end with an error. Pixels are first averaged as the search itself does.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage as ndi

from glutseg import dicom
from glutseg.anatomy import find_anatomy, find_level
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Mask
from glutseg.protocol import LevelRule

SHARED = Path(__file__).resolve().parents[2] / "shared"
FEMUR, SOFT = 7, 50
BONES = (6, FEMUR, 8, 9)


@dataclass(frozen=True)
class Scan:
    """A canonical volume and its labels on the same grid."""

    volume: CtImage
    truth: Mask

    @property
    def slice_mm(self) -> float:
        return self.volume.geometry.spacing_mm[0]

    def femurs(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """The right and the left femur: on either side of the middle between the two."""
        femur = self.truth.labels == FEMUR
        middle = int(np.flatnonzero(femur.any((0, 1))).mean())
        right = femur.copy()
        right[..., middle:] = False
        return right, femur & ~right

    def tops_mm(self) -> list[float]:
        """Heights of the highest slices that show each femur."""
        g = self.volume.geometry
        return [g.slice_z_mm(int(np.flatnonzero(f.any((1, 2)))[-1])) for f in self.femurs()]

    def between(self, low_mm: float, high_mm: float) -> Scan:
        g = self.volume.geometry
        first, last = (int(np.clip(g.nearest_slice(z), 0, g.shape[0] - 1)) for z in (low_mm, high_mm))
        box = (slice(first, last + 1), slice(None), slice(None))
        grid = g.crop(box)
        return Scan(self.volume.crop(box), Mask(self.truth.labels[box], grid))

    def with_hu(self, hu: npt.NDArray[np.float64]) -> Scan:
        clipped = np.clip(hu, -1024, 3071).astype(np.int16)
        return replace(self, volume=CtImage(clipped, self.volume.geometry))


def load(case: Path) -> Scan:
    """A case, its pixels averaged to about 1.2 mm or more."""
    (study,) = dicom.scan(case / "dicom").studies
    volume = dicom.read(study.series[0])
    truth = Mask.from_sitk(sitk.ReadImage(str(case / "truth.nii.gz")))
    g = volume.geometry
    n = max(1, round(1.2 / g.spacing_mm[1]))
    rows, columns = g.shape[1] // n, g.shape[2] // n
    hu = volume.hu[:, : rows * n, : columns * n].reshape(g.shape[0], rows, n, columns, n).mean((2, 4))
    labels = truth.labels[:, n // 2 : rows * n : n, n // 2 : columns * n : n]
    middle = (n - 1) / 2
    grid = replace(
        g,
        shape=(g.shape[0], rows, columns),
        spacing_mm=(g.spacing_mm[0], g.spacing_mm[1] * n, g.spacing_mm[2] * n),
        origin_mm=g.point_mm(0, middle, middle),
    )
    return Scan(CtImage(hu.astype(np.int16), grid), Mask(np.ascontiguousarray(labels), grid))


def resliced(scan: Scan, slice_mm: float) -> Scan:
    """Other slices: averaged from 1 mm where thicker, interpolated where thinner."""
    g = scan.volume.geometry
    fine_mm = min(1.0, slice_mm)
    n = round(slice_mm / fine_mm)
    depth = int((g.shape[0] - 1) * g.spacing_mm[0] / fine_mm) // n * n
    at = np.arange(depth) * fine_mm / g.spacing_mm[0]
    low = np.minimum(at.astype(int), g.shape[0] - 2)
    hu = np.empty((depth // n, *g.shape[1:]), np.float32)
    for k in range(depth // n):
        part = slice(k * n, (k + 1) * n)
        share = (at[part] - low[part])[:, None, None]
        hu[k] = (scan.volume.hu[low[part]] * (1 - share) + scan.volume.hu[low[part] + 1] * share).mean(0)
    middle = np.rint(at[n // 2 :: n]).astype(int)
    grid = replace(
        g,
        shape=hu.shape,
        spacing_mm=(slice_mm, *g.spacing_mm[1:]),
        origin_mm=g.point_mm((n - 1) / 2 * fine_mm / g.spacing_mm[0], 0, 0),
    )
    return Scan(CtImage(hu.astype(np.int16), grid), Mask(scan.truth.labels[middle], grid))


def moved(scan: Scan, degrees: tuple[float, float, float] = (0, 0, 0), shift_mm: float = 0) -> Scan:
    """Turned about the middle between the heads, and moved to the left."""
    right, left = (np.argwhere(f)[-1] for f in scan.femurs())
    centre = scan.volume.geometry.point_mm(*((right + left) / 2))
    turn = sitk.Euler3DTransform(centre, *np.radians(degrees), (-shift_mm, 0, 0))
    image, truth = scan.volume.to_sitk(), scan.truth.to_sitk()
    return Scan(
        CtImage.from_sitk(sitk.Resample(image, image, turn, sitk.sitkLinear, -1024)),
        Mask.from_sitk(sitk.Resample(truth, truth, turn, sitk.sitkNearestNeighbor, 0)),
    )


def with_metal(scan: Scan, sides: tuple[int, ...], depth_mm: float) -> Scan:
    """Femurs of metal but for a shell, with streaks that spread from it in every slice."""
    g = scan.volume.geometry
    hu = scan.volume.hu.astype(float)
    rng = np.random.default_rng(1)
    yy, xx = np.mgrid[: g.shape[1], : g.shape[2]]
    for femur in (scan.femurs()[side] for side in sides):
        (box,) = ndi.find_objects(femur.astype(np.uint8))
        core = np.zeros_like(femur)
        core[box] = (
            ndi.distance_transform_edt(np.pad(femur[box], 1), sampling=g.spacing_mm)[1:-1, 1:-1, 1:-1]
            > depth_mm
        )
        for k in np.flatnonzero(core.any((1, 2))):
            y, x = np.argwhere(core[k]).mean(0)
            angle, away = np.arctan2(yy - y, xx - x), np.hypot(yy - y, xx - x) * g.spacing_mm[1]
            streak = np.interp(angle, np.linspace(-np.pi, np.pi, 90), rng.normal(0, 1, 90))
            hu[k] += (hu[k] > -300) * streak * 200 * np.exp(-away / 60)
        hu[ndi.binary_dilation(core) & femur] = 3071
    return scan.with_hu(hu)


def without(scan: Scan, where: npt.NDArray[np.bool_]) -> Scan:
    """Soft tissue instead of what lies there."""
    noise = np.random.default_rng(2).normal(SOFT, 15, where.shape)
    return scan.with_hu(np.where(ndi.binary_dilation(where, iterations=2), noise, scan.volume.hu))


def balls_on_shafts(scan: Scan, factor: float = 0.8) -> Scan:
    """Femurs without a pelvis, smaller: what shoulders look like to a search for hips."""
    labels, g = scan.truth.labels, scan.volume.geometry
    bare = without(scan, np.isin(labels, BONES) & (labels != FEMUR))
    z, y, x = (s * factor for s in g.spacing_mm)
    return replace(bare, volume=CtImage(bare.volume.hu, replace(g, spacing_mm=(z, y, x))))


def whole_body(scan: Scan, top_mm: float) -> Scan:
    """Air, 0.4 m of shaft, the pelvis, 0.4 m of abdomen, two balls on shafts without a pelvis, air."""
    g, hu = scan.volume.geometry, scan.volume.hu
    low, high = g.nearest_slice(top_mm - 120), g.nearest_slice(top_mm + 110)
    below, above = hu[: max(low, 3)], hu[min(high, g.shape[0] - 3) :]
    balls = balls_on_shafts(scan).volume.hu
    air = np.full((round(100 / g.spacing_mm[0]), *g.shape[1:]), -1024, np.int16)
    wanted = round(400 / g.spacing_mm[0])
    parts = [air, *(np.resize(np.concatenate([p, p[::-1]]), (wanted, *g.shape[1:])) for p in (below, above))]
    body = np.concatenate([parts[0], parts[1], hu, parts[2], balls, air])
    start = len(air) + wanted
    grid = replace(g, shape=body.shape, origin_mm=g.point_mm(-start, 0, 0))
    labels = np.zeros(body.shape, np.uint8)
    labels[start : start + len(hu)] = scan.truth.labels
    return Scan(CtImage(body, grid), Mask(labels, grid))


def with_arms(scan: Scan) -> Scan:
    """Forearms beside the hips: upright bone tubes in soft tissue."""
    g = scan.volume.geometry
    hu = scan.volume.hu.astype(float)
    body = hu[g.shape[0] // 2] > -300
    columns = np.flatnonzero(body.sum(0) > 20)
    y = np.flatnonzero(body.sum(1) > 20).mean()
    yy, xx = np.mgrid[: g.shape[1], : g.shape[2]]
    for x in (columns[0] - 22 / g.spacing_mm[2], columns[-1] + 22 / g.spacing_mm[2]):
        away = np.hypot(yy - y, xx - x) * g.spacing_mm[1]
        hu[:, away < 30] = SOFT
        for offset in (-14, 14):
            away = np.hypot((yy - y) * g.spacing_mm[1] - offset, (xx - x) * g.spacing_mm[2])
            hu[:, away < 8] = 900
            hu[:, away < 4] = 100
    return scan.with_hu(hu)


Make = Callable[[Scan, float], Scan]
SITUATIONS: dict[str, Make] = {
    "as it is": lambda s, _: s,
    "0.5 mm slices": lambda s, top: resliced(s.between(top - 110, top + 90), 0.5),
    "1 mm slices": lambda s, _: resliced(s, 1),
    "5 mm slices": lambda s, _: resliced(s, 5),
    "8 mm slices": lambda s, _: resliced(s, 8),
    "10 mm slices": lambda s, _: resliced(s, 10),
    "only 60 mm around the heads": lambda s, top: s.between(top - 53, top + 7),
    "from the middle of the heads": lambda s, top: s.between(top - 24, 9e9),
    "to 20 mm above the level": lambda s, top: s.between(-9e9, top + 20),
    "whole body with shoulders": whole_body,
    **{
        f"turned {d:+} degrees about {'xyz'[a]}": (
            lambda s, _, a=a, d=d: moved(s, tuple(d if i == a else 0 for i in range(3)))  # type: ignore[misc]
        )
        for a in range(3)
        for d in (-15, 15)
    },
    "turned 8 degrees about all": lambda s, _: moved(s, (8, 8, 8)),
    "60 mm off-centre": lambda s, _: moved(s, shift_mm=60),
    "arms beside": lambda s, _: with_arms(s),
    "one hip with a metal core": lambda s, _: with_metal(s, (0,), 5),
    "two hips with a metal core": lambda s, _: with_metal(s, (0, 1), 5),
    "one hip all of metal": lambda s, _: with_metal(s, (1,), 0),
    "two hips all of metal": lambda s, _: with_metal(s, (0, 1), 0),
    "two metal hips, 5 mm slices": lambda s, _: resliced(with_metal(s, (0, 1), 5), 5),
    "left femur missing": lambda s, _: without(s, s.femurs()[1]),
    "right femur missing": lambda s, _: without(s, s.femurs()[0]),
    "refuse: ends 5 mm below the level": lambda s, top: s.between(-9e9, top - 5 - s.slice_mm / 2),
    "refuse: ends 12 mm below the level": lambda s, top: s.between(-9e9, top - 12 - s.slice_mm / 2),
    "refuse: starts 15 mm above the level": lambda s, top: s.between(top + 15, 9e9),
    "refuse: thighs": lambda s, top: s.between(-9e9, top - 60),
    "refuse: balls on shafts alone": lambda s, _: balls_on_shafts(s),
}


@dataclass(frozen=True)
class Answer:
    case: str
    error_mm: float | None
    slice_mm: float
    said: str


def answer(scan: Scan, case: str, make: Make) -> Answer:
    """The level's error in one changed scan; None where glutseg refused."""
    tops = scan.tops_mm()
    made = make(scan, statistics.mean(tops))
    try:
        level = find_level(find_anatomy(made.volume), LevelRule())
    except GlutsegError as error:
        return Answer(case, None, made.slice_mm, error.code)
    gone = [flag.side for flag in level.flags if flag.code == "level-one-sided"]
    tops = made.tops_mm() if (made.truth.labels == FEMUR).any() else tops
    truth = tops[gone == ["left"]] if gone else statistics.mean(tops)  # the flag names the side seen
    return Answer(case, level.z_mm - truth, made.slice_mm, " ".join(str(flag) for flag in level.flags))


def row(name: str, given: list[Answer]) -> str:
    """Found of all, median and worst error in mm, worst in slices, flagged."""
    found = [a for a in given if a.error_mm is not None]
    errors = [abs(a.error_mm or 0) for a in found] or [float("nan")]
    slices = [abs(a.error_mm or 0) / a.slice_mm for a in found] or [float("nan")]
    flagged = sum(bool(a.said) for a in found)
    figures = f"{statistics.median(errors):.1f} | {max(errors):.1f} | {max(slices):.1f}"
    return f"| {name} | {len(found)} of {len(given)} | {figures} | {flagged} |"


def cases(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(c for c in folder.iterdir() if (c / "truth.nii.gz").is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=Path, nargs="+", default=[SHARED / "cases"])
    parser.add_argument("--only", nargs="+", default=[""], help="situations whose name holds one of these")
    parser.add_argument("--each", action="store_true", help="every case's answer as well")
    options = parser.parse_args()
    scans = {case.name: load(case) for case in cases(options.cases)}
    print("| situation | found | median, mm | worst, mm | worst, slices | flagged |")
    print("|---|---|---|---|---|---|")
    for name, make in SITUATIONS.items():
        if any(word in name for word in options.only):
            given = [answer(scan, case, make) for case, scan in scans.items()]
            print(row(name, given), flush=True)
            for a in given if options.each else ():
                print(f"    {a.case}: {a.error_mm} mm {a.said}")


if __name__ == "__main__":
    main()
