"""True positions of the protocol landmarks in a phantom."""

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
from glutseg.phantom.shapes import FloatArray
from glutseg.phantom.variation import SIGNS, AnatomyVariation

Point = tuple[float, float, float]

SI_CONTACT_MM = 4.0
"""Largest distance between sacrum and ilium that counts as joint contact."""


def landmarks_mm(model: Model, centre_mm: Point) -> dict[str, Point]:
    """Return LPS positions in mm by ``"<landmark>:<side>"``, for both sides.

    "lesser-trochanter" is the height of its most prominent point, not its lower end; "si-joint-end" is the
    lowest height at which sacrum and ilium are within `SI_CONTACT_MM`.
    """
    found: dict[str, Point] = {}
    for side, sign in SIGNS.items():
        variation = AnatomyVariation.of(model.patient, side)
        points = {
            "femoral-head-centre": _top_of_sphere(variation, (*HEAD_CENTRE_MM, 0.0)),
            "femoral-head-top": _top_of_sphere(variation, (*HEAD_CENTRE_MM, HEAD_RADIUS_MM)),
            "acetabular-roof": _top_of_sphere(variation, (*HEAD_CENTRE_MM, HEAD_RADIUS_MM + JOINT_SPACE_MM)),
            "greater-trochanter-tip": _top_of_sphere(variation, TROCHANTER_TIP_MM),
            "lesser-trochanter": _top_of_sphere(variation, (*LESSER_TROCHANTER_MM[:3], 0.0)),
            "pubic-symphysis-top": _top_of_sphere(variation, SYMPHYSIS_MM),
            "ischial-tuberosity-tip": _tuberosity(variation),
            "si-joint-end": _si_joint_end(model, variation),
        }
        for name, point in points.items():
            x, y = model.rolled(np.array([[point[0] * sign, point[1]]]))[0]
            found[f"{name}:{side}"] = (
                float(x) + centre_mm[0],
                float(y) + centre_mm[1],
                float(point[2]) + centre_mm[2],
            )
    return found


def _top_of_sphere(variation: AnatomyVariation, sphere: tuple[float, float, float, float]) -> FloatArray:
    """Return the top of a sphere given as (x, y, z, radius)."""
    centre = variation.deform(np.array([sphere[:3]]))[0]
    return np.asarray(centre + np.array([0.0, 0.0, sphere[3] * variation.size]))


def _tuberosity(variation: AnatomyVariation) -> FloatArray:
    outline = variation.shape(HIP, 1).cross_sections(TUBEROSITY_TIP_Z_MM * variation.scale[2])[0]
    return np.array([*outline.mean(axis=0), TUBEROSITY_TIP_Z_MM * variation.scale[2]])


def _si_joint_end(model: Model, variation: AnatomyVariation) -> FloatArray:
    hip = variation.shape(HIP, 1)
    sacrum = AnatomyVariation.of(model.patient, "middle").shape(BONES["sacrum"].shape, 0)
    for z in np.arange(30.0, 100.0, 0.5):
        hip_outline, sacrum_outline = (s.cross_sections(float(z))[0] for s in (hip, sacrum))
        distances = cdist(hip_outline, sacrum_outline)
        if distances.min() < SI_CONTACT_MM:
            x, y = hip_outline[np.unravel_index(int(distances.argmin()), distances.shape)[0]]
            return np.array([x, y, float(z)])
    return np.array([np.nan, np.nan, np.nan])
