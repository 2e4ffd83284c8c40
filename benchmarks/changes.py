"""Changes that hospitals make to images, for scans whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

FloatArray = npt.NDArray[np.float32]
LabelArray = npt.NDArray[np.uint8]
Spacing = tuple[float, float, float]
Scan = tuple[FloatArray, LabelArray, Spacing]
"""HU and truth (z, y, x), spacing in mm."""


def noise(sd_hu: float) -> Callable[[Scan, int], Scan]:
    def change(scan: Scan, seed: int) -> Scan:
        hu, truth, spacing = scan
        white = np.random.default_rng(seed).standard_normal(hu.shape).astype(np.float32)
        grain = ndi.gaussian_filter(white, (0, 0.7, 0.7))
        return hu + grain * np.float32(sd_hu / grain.std()), truth, spacing

    return change


def values(of: Callable[[FloatArray, Spacing], FloatArray]) -> Callable[[Scan, int], Scan]:
    """A change of the HU alone."""
    return lambda scan, _: (np.asarray(of(scan[0], scan[2]), np.float32), scan[1], scan[2])


def blurred(hu: FloatArray, spacing: Spacing, sigma_mm: float) -> FloatArray:
    return np.asarray(ndi.gaussian_filter(hu, (0, *(sigma_mm / s for s in spacing[1:]))), np.float32)


def coarser(slice_mm: float | None = None, pixel_mm: float | None = None) -> Callable[[Scan, int], Scan]:
    """Other voxels: a blur of their size first, then linear; the truth takes its nearest voxel."""

    def change(scan: Scan, _: int) -> Scan:
        hu, truth, old = scan
        new = (slice_mm or old[0], pixel_mm or old[1], pixel_mm or old[2])
        hu = ndi.gaussian_filter(
            hu, [0.45 * n / o if n > 1.2 * o else 0 for n, o in zip(new, old, strict=True)]
        )
        for axis, (n, o) in enumerate(zip(new, old, strict=True)):
            last = hu.shape[axis] - 1
            at = np.clip((np.arange(int(hu.shape[axis] * o / n)) + 0.5) * n / o - 0.5, 0, last)
            low = np.minimum(at.astype(int), last - 1)
            share = np.reshape(at - low, [-1 if i == axis else 1 for i in range(3)]).astype(np.float32)
            hu = np.take(hu, low, axis) * (1 - share) + np.take(hu, low + 1, axis) * share
            truth = np.take(truth, np.round(at).astype(int), axis)
        return hu, truth, new

    return change


def turned(degrees: float) -> Callable[[Scan, int], Scan]:
    def change(scan: Scan, _: int) -> Scan:
        hu, truth, spacing = scan
        hu = ndi.rotate(hu, degrees, (1, 2), reshape=False, order=1, cval=-1024)
        return hu, ndi.rotate(truth, degrees, (1, 2), reshape=False, order=0), spacing

    return change


CHANGES: dict[str, Callable[[Scan, int], Scan]] = {
    "pixels 1.5 mm": coarser(pixel_mm=1.5),
    "noise 25 HU": noise(25),
    "slices 8 mm": coarser(slice_mm=8),
    "HU -25": values(lambda hu, _: np.where(hu > -900, hu - 25, hu)),
    "kernel 1.5 mm": values(lambda hu, spacing: blurred(hu, spacing, 1.5)),
    "pixels 3 mm": coarser(pixel_mm=3),
    "noise 70 HU": noise(70),
    "HU times 1.25": values(lambda hu, _: hu * 1.25),
    "turned 10 degrees": turned(10),
    "muscle 20 HU less dense": values(lambda hu, _: np.where((hu > 0) & (hu < 90), hu - 20, hu)),
    "pixels 2 mm": coarser(pixel_mm=2),
    "noise 45 HU": noise(45),
    "slices 5 mm": coarser(slice_mm=5),
    "HU +40": values(lambda hu, _: np.where(hu > -900, hu + 40, hu)),
    "kernel 2.5 mm": values(lambda hu, spacing: blurred(hu, spacing, 2.5)),
    "sharp kernel": values(lambda hu, spacing: hu + 1.5 * (hu - blurred(hu, spacing, 1.2))),
    "HU times 0.8": values(lambda hu, _: hu * 0.8),
    "turned 25 degrees": turned(25),
    "HU -15": values(lambda hu, _: np.where(hu > -900, hu - 15, hu)),
    "slices 10 mm": coarser(slice_mm=10),
}
"""Of the kinds that hospitals make; a field of view that cuts the muscle is for the image checks to find."""
