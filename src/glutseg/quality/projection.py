"""Whether slices are projections through a slab: maximum- or minimum-intensity slabs that overlap.

Noise makes every slice of a CT its own: of the pixels of a muscle 1 to 4 % have exactly the value of the next
slice, in overlapping averages up to 13 %. Slabs that share slices show the same brightest voxel in half of
their pixels or more. The header need not say so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.errors import Flag
from glutseg.image import SIDES, CtImage, Mask
from glutseg.settings import METHOD, QualitySettings


def check_projection(
    volume: CtImage, mask: Mask, slice_index: int, settings: QualitySettings = METHOD.quality
) -> tuple[Flag, ...]:
    """``slices-projected`` where the muscle repeats many pixels of both neighbouring slices exactly."""
    beside = (slice_index - 1, slice_index + 1)
    hidden = {*volume.missing_slices, *volume.unread_slices}
    if beside[0] < 0 or beside[1] >= len(volume.hu) or hidden & {slice_index, *beside}:
        return ()
    hu = volume.hu[slice_index].astype(int)
    muscle = ndi.binary_erosion(
        np.isin(mask.labels[slice_index], list(SIDES.values())), iterations=settings.border_pixels
    )
    if np.count_nonzero(muscle) * volume.geometry.pixel_area_mm2 < settings.min_tissue_mm2:
        return ()
    if _equal_share(hu[:, 1:], hu[:, :-1], muscle[:, 1:]) > settings.max_equal_share_within_slice:
        return ()  # too smooth, or drawn: nothing is its own
    shares = [_equal_share(volume.hu[k].astype(int), hu, muscle) for k in beside]
    if not all(settings.max_equal_share < share < 1 for share in shares):
        return ()
    message = (
        f"{min(shares):.0%} of the muscle's pixels have exactly the value of the next slice, below and above"
    )
    return (Flag("slices-projected", message),)


def _equal_share(
    one: npt.NDArray[np.int_], other: npt.NDArray[np.int_], where: npt.NDArray[np.bool_]
) -> float:
    return float((one == other)[where].mean())
