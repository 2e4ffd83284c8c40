"""Pictures for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glutseg.api.inputs import Image, MaskLike, as_mask, as_slice_index, as_volume
from glutseg.errors import GlutsegError
from glutseg.result import Level

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_overlay(image: Image, mask: MaskLike | None, level: Level | int, axes: Axes | None = None) -> Axes:
    """Draw a slice with the outlines on it, as in the pictures of a run.

    The patient's right is on the viewer's left, the front at the top, whatever the order of storage; fat
    is dark grey, muscle light grey (window 350 HU wide around 50 HU).

    Parameters
    ----------
    image : CT, `CtImage` or SimpleITK image in HU
    mask : `Mask`, SimpleITK image or array (z, y, x) on the same grid; or None
    level : from `find_level`, or a slice's index in the order of ``image``
    axes : where to draw; by default on a new figure of pyplot

    Returns
    -------
    matplotlib.axes.Axes
        For a title, or more on top; ``axes.figure.savefig("overlay.png")`` writes the picture.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch``, ``level-outside``, ``labels-unknown``.
    """
    from glutseg.output.overlay import draw_slice

    volume, k = as_volume(image), as_slice_index(level)
    labels = None if mask is None else as_mask(mask, volume)
    if labels is not None and not volume.geometry.matches(labels.geometry):
        raise GlutsegError("geometry-mismatch", "the volume and the mask are on different grids")
    n = volume.geometry.shape[0]
    if not 0 <= k < n:
        raise GlutsegError("level-outside", f"slice {k} asked for, the series has slices 0 to {n - 1}")
    if axes is None:
        from matplotlib import pyplot as plt

        axes = plt.figure(figsize=(9, 6.5), facecolor="black", layout="constrained").add_subplot()
    draw_slice(axes, volume, labels, k)
    return axes
