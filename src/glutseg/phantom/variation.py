"""Individual variation of the average anatomy."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from glutseg.phantom.bones import Contours, Spheres
from glutseg.phantom.patient import PhantomPatient
from glutseg.phantom.shapes import FloatArray, Shape, SphereChain, SweptSurface

AVERAGE_HEIGHT_M = 1.68
"""Body height for which the outlines are drawn."""
SIZE_EXPONENT = 0.7
"""The pelvis grows less than in proportion to the height."""
SIGNS = {"left": 1, "right": -1}
"""Sign of x for each side."""


@dataclass(frozen=True)
class AnatomyVariation:
    """Deforms average outlines to one side of one patient.

    Attributes
    ----------
    scale : of x, y and z
    waves : (2, n, 2, 4), for both sides together and this side alone: n waves that displace x and y, each a
        wave vector and a phase
    amplitude_mm : of the two sets of waves
    """

    scale: tuple[float, float, float]
    waves: FloatArray
    amplitude_mm: tuple[float, float]

    @classmethod
    def of(cls, patient: PhantomPatient, side: str) -> AnatomyVariation:
        """``side`` is "left", "right" or "middle"."""
        rng = generator(patient, "shape")
        size = (patient.height_m / AVERAGE_HEIGHT_M) ** SIZE_EXPONENT
        spread = patient.shape_mm / 2.0
        scale = size * (1 + spread * np.array([0.02, 0.02, 0.02]) * rng.standard_normal(3).clip(-2, 2))
        both = _waves(rng)
        one_side = _waves(generator(patient, f"shape-{side}"))
        asymmetry = 0.0 if side == "middle" else patient.asymmetry_mm
        return cls((scale[0], scale[1], scale[2]), np.stack([both, one_side]), (patient.shape_mm, asymmetry))

    def deform(self, points_mm: FloatArray) -> FloatArray:
        """Deform points (n, 3) of the average half body; x is still positive."""
        moved = points_mm * np.array(self.scale)
        for waves, amplitude in zip(self.waves, self.amplitude_mm, strict=True):
            for axis in (0, 1):
                vectors, phases = waves[:, axis, :3], waves[:, axis, 3]
                shift = (
                    np.sin(points_mm @ vectors.T + phases).sum(axis=1) * amplitude * np.sqrt(2 / len(waves))
                )
                if axis == 0:
                    shift = shift * np.tanh(points_mm[:, 0] / 30)  # the midline is not displaced
                moved[:, axis] += shift
        return np.asarray(moved, dtype=float)

    @property
    def size(self) -> float:
        """Mean scale, applied to radii so that spheres stay spheres."""
        return float(np.mean(self.scale))

    def shape(self, outlines: Contours | Spheres, sign: int, thickness: float = 1.0) -> Shape:
        """Return the deformed shape on the side with this sign; 0 mirrors half an outline at the midline."""
        if isinstance(outlines, str):
            spheres = np.array([[float(v) for v in sphere.split(",")] for sphere in outlines.split()])
            centres = self.deform(spheres[:, :3])
            if sign:
                centres[:, 0] *= sign
            return SphereChain(np.column_stack([centres, spheres[:, 3] * self.size]))
        heights = sorted(outlines)
        controls = []
        for z in heights:
            flat = np.array([[float(v) for v in p.split(",")] for p in outlines[z].split()])
            if thickness != 1:
                half = len(flat) // 2
                flat[half:] = flat[:half][::-1] + thickness * (flat[half:] - flat[:half][::-1])
            moved = self.deform(np.column_stack([flat, np.full(len(flat), float(z))]))[:, :2]
            if sign == 0:
                moved[:, 0] = np.abs(moved[:, 0])
                mirror = moved[1:-1][::-1] * np.array([-1, 1])
                moved = np.vstack([moved, mirror])
            controls.append(moved * np.array([sign or 1, 1]))
        return SweptSurface(np.array(heights) * self.scale[2], np.stack(controls))


def generator(patient: PhantomPatient, purpose: str) -> np.random.Generator:
    """Return a random generator for one purpose, independent of the generators for others."""
    return np.random.default_rng([patient.seed, zlib.crc32(purpose.encode())])


def _waves(rng: np.random.Generator, count: int = 5) -> FloatArray:
    """Return random plane waves of 140 to 300 mm as (count, axes x and y, wave vector and phase)."""
    direction = rng.standard_normal((count, 2, 3))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    length_mm = rng.uniform(140, 300, (count, 2, 1))
    phase = rng.uniform(0, 2 * np.pi, (count, 2, 1))
    return np.concatenate([direction * 2 * np.pi / length_mm, phase], axis=2)
