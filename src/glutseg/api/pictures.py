"""Pictures for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glutseg.api.inputs import Image, LevelLike, MaskLike, as_image, as_level, as_mask
from glutseg.api.words import python_errors
from glutseg.errors import require_extra
from glutseg.measurement import check_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@python_errors
def plot_overlay(image: Image, mask: MaskLike | None, level: LevelLike, axes: Axes | None = None) -> Axes:
    """Draw a slice with the outlines on it, as in the pictures of a run.

    The patient's right is on the viewer's left, the front at the top, whatever the order of storage; fat
    is dark grey, muscle light grey (window 350 HU wide around 50 HU).

    Parameters
    ----------
    image : `CtImage`, or SimpleITK image in HU
    mask : from `segment`, a SimpleITK image or array (z, y, x) on the same grid; or None
    level : from `find_level`, a slice of ``image`` from 0, or in words
    axes : where to draw; by default on a new figure of pyplot

    Returns
    -------
    matplotlib.axes.Axes
        For a title, or more on top; ``axes.figure.savefig("overlay.png")`` writes the picture.

    Raises
    ------
    GlutsegError
        ``extra-missing``, ``geometry-mismatch``, ``level-outside``, ``labels-unknown``.
    """
    require_extra("study", "matplotlib")
    from glutseg.output.overlay import draw_slice

    ct = as_image(image)
    slice_index = as_level(level, ct, image).slice_index
    labels = None if mask is None else as_mask(mask, ct, image)
    if labels is not None:
        check_grid(ct, labels)
    if axes is None:
        from matplotlib import pyplot as plt

        axes = plt.figure(figsize=(9, 6.5), facecolor="black", layout="constrained").add_subplot()
    axes.imshow(draw_slice(ct, labels, slice_index))
    axes.set_axis_off()
    return axes
