"""The truth of phantoms in place of what finds hips, level and outlines; the rest is the real thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

import numpy as np
import pytest

from glutseg import anatomy, segmentation
from glutseg.anatomy import Anatomy, Hips, Sphere
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Mask
from glutseg.phantom import Phantom
from glutseg.result import Level
from glutseg.segmentation import OutlineQuality, Outlines, gluteus
from glutseg.settings import METHOD

ERROR_BOUND_PERCENT = {"left": 4.0, "right": 6.0}
Choose = Callable[[Phantom, str], int]
"""The slice of a landmark."""


def digest(image: CtImage) -> str:
    return sha256(np.ascontiguousarray(image.hu).tobytes()).hexdigest()


def true_hips(phantom: Phantom) -> Hips:
    def ball(side: str) -> Sphere:
        centre, top = (
            phantom.true_landmarks_mm[f"{name}:{side}"]
            for name in ("femoral-head-centre", "femoral-head-top")
        )
        return Sphere(centre, top[2] - centre[2], 0.3)

    return Hips(ball("left"), ball("right"), 1.3)


def true_slice(phantom: Phantom, landmark: str) -> int:
    """Nearest to the mean height of a landmark's two sides."""
    heights = [phantom.true_landmarks_mm[f"{landmark}:{side}"][2] for side in ("left", "right")]
    return phantom.truth.geometry.nearest_slice(float(np.mean(heights)))


def use_truth(
    patch: pytest.MonkeyPatch,
    phantoms: Iterable[Phantom],
    choose: Choose,
    *,
    peak: bool = False,
    only: Phantom | None = None,
) -> None:
    """Anatomy and segmentation answer with the truth of the phantom whose voxels they are shown.

    Parameters
    ----------
    choose : the slice of a landmark
    peak : ``peak-area`` is found like any landmark as well
    only : answers to other voxels as well, where slices of it are interpolated
    """
    known = {digest(phantom.volume): phantom for phantom in phantoms}

    def phantom_of(image: CtImage) -> Phantom:
        if only is not None:
            return only
        if digest(image) not in known:
            raise GlutsegError("hips-not-found", "not one of the phantoms")
        return known[digest(image)]

    def find_anatomy(image, near=None, method=METHOD):
        return Anatomy(image, true_hips(phantom_of(image)), method=method)

    def find_level(found, rule):
        phantom, grid = phantom_of(found.volume), found.volume.geometry
        index = choose(phantom, rule.landmark) if rule.slice_index is None else rule.slice_index
        return Level(rule.landmark, index, grid.slice_z_mm(index), {"femoral-head-top:left": (1.0, 2.0, 3.0)})

    def segment(image, found, slices, _settings=METHOD.segmentation, *, whole_muscle=False, **_how):
        truth = phantom_of(image).truth.labels
        labels = np.zeros_like(truth)
        # a whole muscle ends within the series
        drawn = slice(1, len(labels) - 1) if whole_muscle else slice(slices.start, slices.stop)
        labels[drawn] = truth[drawn]
        quality = {
            ("maximus", side): OutlineQuality(0.95, error_bound_percent=bound)
            for side, bound in ERROR_BOUND_PERCENT.items()
        }
        return Outlines(Mask.on(image, labels), quality)

    patch.setattr(anatomy, "find_anatomy", find_anatomy)
    patch.setattr(anatomy, "find_level", find_level)
    patch.setattr(gluteus, "segment", segment)
    if peak:
        patch.setattr(
            segmentation, "peak_level", lambda image, found, rule, *_, **_how: find_level(found, rule)
        )
