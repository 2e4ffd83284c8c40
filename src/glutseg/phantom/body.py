"""From a patient to solids in the order in which they are painted."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from glutseg.phantom.bones import BONES, FEMUR, HEAD_CENTRE_MM, HEAD_RADIUS_MM, JOINT_SPACE_MM, Bone, Contours
from glutseg.phantom.muscles import GLUTEUS_MAXIMUS, MUSCLES, VESSELS
from glutseg.phantom.patient import PhantomPatient
from glutseg.phantom.shapes import Chain, Ellipsoid, FloatArray, Loft, Solid, offset
from glutseg.phantom.sheath import Sheath

AVERAGE_HEIGHT_M = 1.68
SIGNS = {"left": 1, "right": -1}


class Tissue(IntEnum):
    """What a point of the body is made of."""

    AIR = 0
    FAT = 1
    SKIN = 2
    MUSCLE = 3
    GLUTEUS_MAXIMUS = 4
    BONE = 5
    MARROW = 6
    HEAD_MARROW = 7
    FATTY_MARROW = 8
    CARTILAGE = 9
    VISCERA = 10
    FLUID = 11
    GAS = 12
    VESSEL = 13
    NERVE = 14
    TABLE = 15


_MARROWS = {
    "marrow": Tissue.MARROW,
    "head-marrow": Tissue.HEAD_MARROW,
    "fatty-marrow": Tissue.FATTY_MARROW,
}


@dataclass(frozen=True)
class Coat:
    """One layer of paint: a solid, grown by a distance or by a sheath."""

    tissue: Tissue
    solid: Solid
    grow_mm: float = 0.0
    sheath: Sheath | None = None

    def cut(self, z_mm: float) -> Iterator[FloatArray]:
        low, high = self.solid.z_range_mm
        if not low <= z_mm <= high:
            return
        for polygon in self.solid.cut(z_mm):
            if self.sheath is not None:
                yield offset(polygon, self.sheath.width_mm(len(polygon), z_mm))
            else:
                yield offset(polygon, self.grow_mm) if self.grow_mm else polygon


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


def gluteus_maximus(patient: PhantomPatient) -> dict[str, Solid]:
    """The two measured muscles."""
    return {
        side: Shaper.of(patient, side).solid(
            GLUTEUS_MAXIMUS, sign, patient.muscle_scale_left if sign > 0 else patient.muscle_scale_right
        )
        for side, sign in SIGNS.items()
    }


def muscle_coats(patient: PhantomPatient) -> list[Coat]:
    """The muscles except gluteus maximus, each in its sheath of fat."""
    coats = []
    for name, shape in MUSCLES.items():
        for side, sign in SIGNS.items():
            solid = Shaper.of(patient, side).solid(shape, sign)
            coats.append(Coat(Tissue.FAT, solid, sheath=sheath_of(patient, f"{name}-{side}")))
            coats.append(Coat(Tissue.MUSCLE, solid))
    return coats


def sheath_of(patient: PhantomPatient, name: str) -> Sheath:
    return Sheath.random(generator(patient, f"sheath-{name}"), patient.plane_mm, patient.plane_gap_fraction)


def vessel_coats(patient: PhantomPatient) -> list[Coat]:
    return [
        Coat(Tissue.NERVE if "nerve" in name else Tissue.VESSEL, Shaper.of(patient, side).solid(shape, sign))
        for name, shape in VESSELS.items()
        for side, sign in SIGNS.items()
    ]


def bone_coats(patient: PhantomPatient) -> list[Coat]:
    """Pelvis and spine, the joints' cartilage over them, then sacrum and femora."""
    joint = ",".join(f"{v:g}" for v in (*HEAD_CENTRE_MM, HEAD_RADIUS_MM + JOINT_SPACE_MM))
    joints = [
        Coat(Tissue.CARTILAGE, Shaper.of(patient, side).solid(joint, sign)) for side, sign in SIGNS.items()
    ]
    paired = {n: b for n, b in BONES.items() if not b.midline}
    midline = {n: b for n, b in BONES.items() if b.midline}
    sacrum = Shaper.of(patient, "middle").solid(BONES["sacrum"].shape, 0)
    return [
        *_bones(patient, paired),
        *joints,
        Coat(Tissue.CARTILAGE, sacrum, grow_mm=2.5),
        *_bones(patient, midline),
        *_bones(patient, FEMUR),
    ]


def _bones(patient: PhantomPatient, bones: dict[str, Bone]) -> list[Coat]:
    """All shells before all marrow, so that parts of one bone open into each other."""
    shells, marrows = [], []
    for bone in bones.values():
        sides = {"middle": 0} if bone.midline else SIGNS
        for side, sign in sides.items():
            solid = Shaper.of(patient, side).solid(bone.shape, sign)
            shells.append(Coat(Tissue.BONE, solid))
            marrows.append(
                Coat(_MARROWS[bone.marrow], _hollowed(solid, bone.shell_mm), grow_mm=_inset(solid, bone))
            )
    return shells + marrows


def _hollowed(solid: Solid, shell_mm: float) -> Solid:
    """Balls have a shell all around, also above and below; outlines are moved inwards when cut."""
    if not isinstance(solid, Chain):
        return solid
    balls = solid.balls_mm.copy()
    balls[:, 3] -= shell_mm
    return Chain(balls)


def _inset(solid: Solid, bone: Bone) -> float:
    return 0.0 if isinstance(solid, Chain) else -bone.shell_mm


def viscera_coats(patient: PhantomPatient) -> list[Coat]:
    """Bladder, rectum with gas, and loops of bowel: for the look, and as something to leak into."""
    rng = generator(patient, "viscera")
    middle = Shaper.of(patient, "middle")
    coats = [
        Coat(
            Tissue.VISCERA,
            middle.solid("0,36,95,9 0,50,60,13 0,44,36,16 0,30,0,17 0,22,-25,14 0,30,-52,9", 1),
        ),
        Coat(Tissue.GAS, Ellipsoid((0, 28, -2), (10, 9, 14))),
        Coat(Tissue.VISCERA, Ellipsoid((0, -12, -30), (21, 17, 18))),
        Coat(Tissue.VISCERA, Ellipsoid((0, -26, 10), (33, 28, 27))),
        Coat(Tissue.FLUID, Ellipsoid((0, -26, 10), (30, 25, 24))),
    ]
    for z in np.arange(50.0, 185.0, 17.0):
        for x in (-45.0, -15.0, 15.0, 45.0):
            centre = np.array([x, -62.0 + 0.1 * (z - 50), z]) + rng.uniform(-7, 7, 3)
            radii = rng.uniform(10, 16, 3)
            coats.append(Coat(Tissue.VISCERA, Ellipsoid(_triple(centre), _triple(radii))))
            if rng.random() < 0.4:
                bubble = centre - np.array([0, 0.3 * radii[1], 0])
                coats.append(Coat(Tissue.GAS, Ellipsoid(_triple(bubble), _triple(radii * 0.5))))
    return coats


def _triple(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
