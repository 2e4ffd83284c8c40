"""Bony landmarks of the hips, each searched where the femoral heads say it must lie.

Distances are in the patient's frame: lateral from the midline, backward and upward from the centre
of the femoral head, in mm. Ranges are those of adult pelves with room for extremes; the truth labels
that the search was checked against are in docs/explanation/method.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy.hips import Hips
from glutseg.anatomy.sphere import Sphere
from glutseg.image import CtImage, Side
from glutseg.settings import METHOD, LandmarkSettings

Point = tuple[float, float, float]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Bone:
    """Bone around one hip in its own frame.

    ``lateral_mm``, ``back_mm`` (per column and row of the slices) and ``up_mm`` (per slice) count from
    the midline and from the head's centre.
    """

    mask: BoolArray
    hu: npt.NDArray[np.int16]
    lateral_mm: npt.NDArray[np.float64]
    back_mm: npt.NDArray[np.float64]
    up_mm: npt.NDArray[np.float64]
    head: Sphere
    volume: CtImage
    settings: LandmarkSettings = METHOD.landmarks

    def box(
        self, lateral: tuple[float, float], back: tuple[float, float], up: tuple[float, float]
    ) -> tuple[slice, ...]:
        """The array region between these bounds (mm); may be empty."""

        def between(values: npt.NDArray[np.float64], bounds: tuple[float, float]) -> slice:
            inside = np.flatnonzero((values >= bounds[0]) & (values <= bounds[1]))
            return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)

        return between(self.up_mm, up), between(self.back_mm, back), between(self.lateral_mm, lateral)

    def point(self, box: tuple[slice, ...], index: npt.NDArray[np.intp]) -> Point:
        """LPS mm of an index within a box."""
        z, y, x = (float(i + b.start) for i, b in zip(index, box, strict=True))
        return self.volume.geometry.point_mm(z, y, x)


def bone_of(volume: CtImage, hips: Hips, side: Side, settings: LandmarkSettings = METHOD.landmarks) -> Bone:
    """Bone of a canonical volume (slices of about 3 mm are enough) seen from one hip."""
    head = hips.left if side == "left" else hips.right
    sign = 1 if side == "left" else -1
    g = volume.geometry
    nz, ny, nx = g.shape
    up = np.array([g.slice_z_mm(k) for k in range(nz)], dtype=np.float64) - head.centre_mm[2]
    back = np.arange(ny, dtype=np.float64) * g.spacing_mm[1] + (g.origin_mm[1] - head.centre_mm[1])
    x_mm = np.arange(nx, dtype=np.float64) * g.spacing_mm[2] + g.origin_mm[0]
    lateral = sign * (x_mm - hips.midline_x_mm)
    return Bone(volume.hu > settings.bone_hu, volume.hu, lateral, back, up, head, volume, settings)


def _from_below(bone: Bone, box: tuple[slice, ...], start_up_mm: tuple[float, float] | None) -> BoolArray:
    """The part of the bone in a box that is joined to the bone of its start slices."""
    inside = bone.mask[box]
    labels, n = ndi.label(inside, np.ones((3, 3, 3)))  # thin shells touch by their corners
    up = bone.up_mm[box[0]]
    low, high = start_up_mm or (-np.inf, np.inf)
    start = (up >= low) & (up <= high)
    if n == 0 or not start.any():
        return np.zeros_like(inside)
    counts = np.bincount(labels[start].ravel(), minlength=n + 1)
    counts[0] = 0
    return np.asarray(labels == counts.argmax(), dtype=bool) if counts.any() else np.zeros_like(inside)


def _extreme(bone: Bone, box: tuple[slice, ...], part: BoolArray, *, highest: bool) -> Point | None:
    """Middle of the highest or lowest slice of a part, unless it is cut off by the end of the search."""
    slices = np.flatnonzero(part.sum((1, 2)) >= bone.settings.min_pixels)
    if not len(slices):
        return None
    k = slices[-1] if highest else slices[0]
    at_end = k == part.shape[0] - 1 if highest else k == 0
    if at_end:
        return None
    middle = np.argwhere(part[k]).mean(0)
    return bone.point(box, np.array([k, *middle]))


def greater_trochanter_tip(bone: Bone) -> Point | None:
    """Highest point of the bone beside the femoral head, followed up from the trochanter's base."""
    search = bone.settings.greater_trochanter
    surface = abs(bone.head.centre_mm[0] - _midline(bone)) + bone.head.radius_mm
    near, far = search.lateral_mm
    box = bone.box((surface + near, surface + far), search.back_mm, search.up_mm)
    return _extreme(bone, box, _from_below(bone, box, search.start_up_mm), highest=True)


def _midline(bone: Bone) -> float:
    at = int(np.abs(bone.lateral_mm).argmin())
    return bone.volume.geometry.point_mm(0, 0, at)[0]


def lesser_trochanter(bone: Bone) -> Point | None:
    """Where the femur below the neck reaches furthest back and inwards from its shaft."""
    off = abs(bone.head.centre_mm[0] - _midline(bone))
    settings, search = bone.settings, bone.settings.lesser_trochanter
    inner, outer = search.lateral_mm
    box = bone.box((off + inner, off + outer), search.back_mm, search.up_mm)
    femur = _from_below(bone, box, search.start_up_mm)
    best: tuple[float, Point] | None = None
    lateral, back = bone.lateral_mm[box[2]], bone.back_mm[box[1]]
    for k in np.flatnonzero(femur.sum((1, 2)) > settings.lesser_min_pixels):
        y, x = np.nonzero(femur[k])
        # the shaft's axis hardly moves over these few cm: its lateral front edge is the reference
        inwards = -(lateral[x]) / np.sqrt(2) + back[y] / np.sqrt(2)
        tip = int(inwards.argmax())
        reach = float(inwards[tip] - np.percentile(inwards, settings.lesser_percentile))
        if bone.up_mm[box[0]][k] < settings.lesser_up_mm and (best is None or reach > best[0]):
            best = reach, bone.point(box, np.array([k, y[tip], x[tip]]))
    return best[1] if best else None


def acetabular_roof(bone: Bone) -> Point | None:
    """The bright bone right above the head: the weight-bearing roof of its socket.

    Where no slice stands out, as in soft bone, it is the one next to the head's top.
    """
    off = abs(bone.head.centre_mm[0] - _midline(bone))
    r, settings = bone.head.radius_mm, bone.settings
    half_mm, roof_mm = settings.roof_half_width_mm, settings.roof_mm
    box = bone.box((off - half_mm, off + half_mm), (-half_mm, half_mm), (r - roof_mm / 2, r + roof_mm))
    column = bone.hu[box]
    if column.size == 0:
        return None
    heights = column.mean((1, 2))
    away_mm = np.abs(bone.up_mm[box[0]] - (r + settings.joint_mm))
    k = int((heights - settings.roof_hu_per_mm * away_mm).argmax())
    if (
        heights[k] < settings.soft_bone_hu
        or away_mm[k] > roof_mm / 2 + abs(bone.volume.geometry.spacing_mm[0]) / 2
    ):
        return None
    return bone.point(box, np.array([k, column.shape[1] / 2, column.shape[2] / 2]))


def si_joint_end(bone: Bone) -> Point | None:
    """Lowest slice, going down, in which the ilium still meets the sacrum."""
    settings, search = bone.settings, bone.settings.si_joint
    box = bone.box(search.lateral_mm, search.back_mm, search.up_mm)
    hu = bone.hu[box]
    lateral = bone.lateral_mm[box[2]]
    if 0 in hu.shape or lateral.max() - lateral.min() < settings.si_min_width_mm:
        return None
    reach = max(1, round(settings.joint_reach_mm / abs(float(lateral[1] - lateral[0]))))
    joined = []
    for image in hu:
        near = ndi.binary_dilation(image > settings.spongy_hu, iterations=reach)
        labels, _ = ndi.label(near)
        wing = _largest_label(labels[:, lateral > settings.ilium_lateral_mm])
        sacrum = labels[:, np.abs(lateral) < settings.sacrum_half_width_mm]
        joined.append(wing > 0 and bool((sacrum == wing).any()))
    run = np.array(joined)
    # two joined slices above one another, so that a spur or a bridge of noise does not count
    steady = np.flatnonzero(run[:-1] & run[1:])
    if not len(steady) or steady[0] == 0:
        return None
    k = int(steady[0])
    contact = int(np.abs(lateral - settings.si_contact_mm).argmin())
    rows = np.flatnonzero(hu[k][:, contact] > settings.spongy_hu)
    return bone.point(box, np.array([k, rows.mean() if len(rows) else hu.shape[1] / 2, contact]))


def _largest_label(labels: npt.NDArray[np.int32]) -> int:
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    return int(counts.argmax()) if counts.any() else 0


def ischial_tuberosity_tip(bone: Bone) -> Point | None:
    """Lowest point of the ischium, followed down from below the socket."""
    off = abs(bone.head.centre_mm[0] - _midline(bone))
    search = bone.settings.ischium
    near, far = search.lateral_mm
    outer = min(far, off + bone.settings.ischium_beyond_head_mm)
    box = bone.box((near, outer), search.back_mm, search.up_mm)
    inside = bone.mask[box]
    labels, n = ndi.label(inside, np.ones((3, 3, 3)))  # thin shells touch by their corners
    up = bone.up_mm[box[0]]
    low, high = search.start_up_mm or (-np.inf, np.inf)
    start = (up > low) & (up < high)
    if n == 0 or not start.any():
        return None
    label = _largest_label(labels[start])
    return _extreme(bone, box, labels == label, highest=False) if label else None


def pubic_symphysis_top(bone: Bone) -> Point | None:
    """Highest bone beside the midline in front, followed up from the symphysis."""
    search = bone.settings.symphysis
    box = bone.box(search.lateral_mm, search.back_mm, search.up_mm)
    return _extreme(bone, box, _from_below(bone, box, search.start_up_mm), highest=True)


SEARCHES: dict[str, Callable[[Bone], Point | None]] = {
    "greater-trochanter-tip": greater_trochanter_tip,
    "lesser-trochanter": lesser_trochanter,
    "acetabular-roof": acetabular_roof,
    "si-joint-end": si_joint_end,
    "ischial-tuberosity-tip": ischial_tuberosity_tip,
    "pubic-symphysis-top": pubic_symphysis_top,
}
"""Searches by the name of their level; each returns LPS mm, or None where it is not in the picture."""
