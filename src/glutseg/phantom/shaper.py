"""One patient's variation of the average anatomy."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from glutseg.phantom.bones import Contours
from glutseg.phantom.patient import PhantomPatient
from glutseg.phantom.shapes import Chain, FloatArray, Loft, Solid

AVERAGE_HEIGHT_M = 1.68
SIGNS = {"left": 1, "right": -1}


@dataclass(frozen=True)
class Shaper:
    """Turns tables of average anatomy into solids of one patient's side."""

    scale: tuple[float, float, float]
    waves: FloatArray
    """(sets, waves, 2 x 4): per displacement in x and in y a wave vector and a phase."""
    amplitude_mm: tuple[float, float]

    @classmethod
    def of(cls, patient: PhantomPatient, side: str) -> Shaper:
        """``side`` is "left", "right" or "middle"."""
        rng = generator(patient, "shape")
        size = (patient.height_m / AVERAGE_HEIGHT_M) ** 0.7
        spread = patient.shape_mm / 2.0
        scale = size * (1 + spread * np.array([0.02, 0.02, 0.02]) * rng.standard_normal(3).clip(-2, 2))
        both = _waves(rng)
        own = _waves(generator(patient, f"shape-{side}"))
        asymmetry = 0.0 if side == "middle" else patient.asymmetry_mm
        return cls((scale[0], scale[1], scale[2]), np.stack([both, own]), (patient.shape_mm, asymmetry))

    def points(self, points_mm: FloatArray) -> FloatArray:
        """Points (n, 3) of the average half, in this patient's half (x still to the side)."""
        moved = points_mm * np.array(self.scale)
        for waves, amplitude in zip(self.waves, self.amplitude_mm, strict=True):
            for axis in (0, 1):
                k, phase = waves[:, axis, :3], waves[:, axis, 3]
                shift = np.sin(points_mm @ k.T + phase).sum(axis=1) * amplitude * np.sqrt(2 / len(waves))
                if axis == 0:
                    shift = shift * np.tanh(points_mm[:, 0] / 30)  # the midline stays in the middle
                moved[:, axis] += shift
        return np.asarray(moved, dtype=float)

    @property
    def size(self) -> float:
        """For radii, so that spheres stay spheres."""
        return float(np.mean(self.scale))

    def solid(self, shape: Contours | str, sign: int, thickness: float = 1.0) -> Solid:
        """A solid of the side ``sign``; 0 mirrors a half outline at the midline."""
        if isinstance(shape, str):
            balls = np.array([[float(v) for v in b.split(",")] for b in shape.split()])
            centres = self.points(balls[:, :3])
            if sign:
                centres[:, 0] *= sign
            return Chain(np.column_stack([centres, balls[:, 3] * self.size]))
        heights = sorted(shape)
        outlines = []
        for z in heights:
            flat = np.array([[float(v) for v in p.split(",")] for p in shape[z].split()])
            if thickness != 1:
                half = len(flat) // 2
                flat[half:] = flat[:half][::-1] + thickness * (flat[half:] - flat[:half][::-1])
            moved = self.points(np.column_stack([flat, np.full(len(flat), float(z))]))[:, :2]
            if sign == 0:
                moved[:, 0] = np.abs(moved[:, 0])
                mirror = moved[1:-1][::-1] * np.array([-1, 1])
                moved = np.vstack([moved, mirror])
            outlines.append(moved * np.array([sign or 1, 1]))
        return Loft(np.array(heights) * self.scale[2], np.stack(outlines))


def generator(patient: PhantomPatient, purpose: str) -> np.random.Generator:
    """A random generator for one purpose: adding another purpose does not change this one."""
    return np.random.default_rng([patient.seed, zlib.crc32(purpose.encode())])


def _waves(rng: np.random.Generator, count: int = 5) -> FloatArray:
    """Random plane waves of 140 to 300 mm: (count, axes x and y, wave vector and phase)."""
    direction = rng.standard_normal((count, 2, 3))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    length_mm = rng.uniform(140, 300, (count, 2, 1))
    phase = rng.uniform(0, 2 * np.pi, (count, 2, 1))
    return np.concatenate([direction * 2 * np.pi / length_mm, phase], axis=2)
