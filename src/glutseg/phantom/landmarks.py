"""Where the landmarks of protocols truly are in a phantom."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from glutseg.phantom.bones import (
    BONES,
    HEAD_CENTRE_MM,
    HEAD_RADIUS_MM,
    HIP,
    JOINT_SPACE_MM,
    LESSER_TROCHANTER_MM,
    SYMPHYSIS_MM,
    TROCHANTER_TIP_MM,
    TUBEROSITY_TIP_Z_MM,
)
from glutseg.phantom.model import Model
from glutseg.phantom.shaper import SIGNS, Shaper
from glutseg.phantom.shapes import FloatArray

Point = tuple[float, float, float]

SI_CONTACT_MM = 4.0
"""Sacrum and ilium this near to each other form the joint."""


def landmarks_mm(model: Model, centre_mm: Point) -> dict[str, Point]:
    """LPS positions by ``"<landmark>:<side>"``, for both sides.

    "lesser-trochanter" is its most prominent place, not its tip's end; "si-joint-end" the lowest
    height at which sacrum and ilium lie within `SI_CONTACT_MM`.
    """
    found: dict[str, Point] = {}
    for side, sign in SIGNS.items():
        shaper = Shaper.of(model.patient, side)
        places = {
            "femoral-head-centre": _ball(shaper, (*HEAD_CENTRE_MM, 0.0)),
            "femoral-head-top": _ball(shaper, (*HEAD_CENTRE_MM, HEAD_RADIUS_MM)),
            "acetabular-roof": _ball(shaper, (*HEAD_CENTRE_MM, HEAD_RADIUS_MM + JOINT_SPACE_MM)),
            "greater-trochanter-tip": _ball(shaper, TROCHANTER_TIP_MM),
            "lesser-trochanter": _ball(shaper, (*LESSER_TROCHANTER_MM[:3], 0.0)),
            "pubic-symphysis-top": _ball(shaper, SYMPHYSIS_MM),
            "ischial-tuberosity-tip": _tuberosity(shaper),
            "si-joint-end": _si_joint_end(model, shaper),
        }
        for name, place in places.items():
            x, y = model.rolled(np.array([[place[0] * sign, place[1]]]))[0]
            found[f"{name}:{side}"] = (
                float(x) + centre_mm[0],
                float(y) + centre_mm[1],
                float(place[2]) + centre_mm[2],
            )
    return found


def _ball(shaper: Shaper, ball: tuple[float, float, float, float]) -> FloatArray:
    """Top of a ball."""
    centre = shaper.points(np.array([ball[:3]]))[0]
    return np.asarray(centre + np.array([0.0, 0.0, ball[3] * shaper.size]))


def _tuberosity(shaper: Shaper) -> FloatArray:
    outline = shaper.solid(HIP, 1).cut(TUBEROSITY_TIP_Z_MM * shaper.scale[2])[0]
    return np.array([*outline.mean(axis=0), TUBEROSITY_TIP_Z_MM * shaper.scale[2]])


def _si_joint_end(model: Model, shaper: Shaper) -> FloatArray:
    hip = shaper.solid(HIP, 1)
    sacrum = Shaper.of(model.patient, "middle").solid(BONES["sacrum"].shape, 0)
    for z in np.arange(30.0, 100.0, 0.5):
        a, c = hip.cut(float(z))[0], sacrum.cut(float(z))[0]
        gaps = cdist(a, c)
        if gaps.min() < SI_CONTACT_MM:
            place = a[np.unravel_index(int(gaps.argmin()), gaps.shape)[0]]
            return np.array([place[0], place[1], float(z)])
    return np.array([np.nan, np.nan, np.nan])
