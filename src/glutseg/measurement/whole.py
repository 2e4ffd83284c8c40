"""Whole muscles: volume, composition and length from end to end."""

from __future__ import annotations

import numpy as np

from glutseg.image import LABELS, CtImage, Mask, Muscle, Side
from glutseg.measurement.area import within
from glutseg.protocol import TissueRule
from glutseg.result import WholeMuscle

MM3_PER_CM3 = 1000.0


def slices_of(mask: Mask) -> range:
    """From the first to the last slice with a label; empty for an empty mask."""
    present = np.flatnonzero(mask.labels.any(axis=(1, 2)))
    return range(int(present[0]), int(present[-1]) + 1) if len(present) else range(0)


def measure_whole(
    volume: CtImage, mask: Mask, tissue: TissueRule, muscle: Muscle = "maximus"
) -> dict[Side, WholeMuscle]:
    """Volume and composition of one muscle, both sides.

    Parameters
    ----------
    volume, mask : on one axial grid; the mask holds all of the muscle that is shown
    tissue : HU windows (inclusive at both ends) of lean muscle and intermuscular fat

    Returns
    -------
    dict
        Sides without a voxel are left out. Volumes are voxel counts times the voxel's volume;
        ``length_mm`` is the number of slices times their distance along the patient. A muscle that
        lies on the first or the last slice of the series, or across slices that no image shows, is not
        complete.
    """
    found: dict[Side, WholeMuscle] = {}
    for side, label in LABELS[muscle].items():
        present = np.flatnonzero((mask.labels == label).any(axis=(1, 2)))
        if len(present):
            found[side] = _measure(volume, mask, tissue, label, present)
    return found


def _measure(
    volume: CtImage,
    mask: Mask,
    tissue: TissueRule,
    label: int,
    present: np.ndarray[tuple[int], np.dtype[np.intp]],
) -> WholeMuscle:
    g = volume.geometry
    first, last = int(present[0]), int(present[-1])
    is_gapless = volume.missing_slices.isdisjoint(range(first, last + 1))
    values = volume.hu[first : last + 1][mask.labels[first : last + 1] == label]

    def cm3(window_hu: tuple[int, int]) -> float:
        return int(within(values, window_hu).sum()) * g.voxel_volume_mm3 / MM3_PER_CM3

    return WholeMuscle(
        volume_cm3=len(values) * g.voxel_volume_mm3 / MM3_PER_CM3,
        lean_volume_cm3=cm3(tissue.muscle_hu),
        imat_volume_cm3=cm3(tissue.imat_hu),
        mean_hu=float(values.mean(dtype=np.float64)),
        length_mm=(last - first + 1) * g.slice_step_mm,
        is_complete=first > 0 and last < g.shape[0] - 1 and is_gapless,
    )
