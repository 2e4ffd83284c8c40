"""From a patient to solids in the order in which they are painted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from glutseg.phantom.bones import (
    BONES,
    FEMUR,
    HEAD_CENTRE_MM,
    HEAD_RADIUS_MM,
    JOINT_SPACE_MM,
    SOCKET_PLATE_MM,
    SPINAL_CANAL,
    Bone,
    ball,
)
from glutseg.phantom.muscles import GLUTEUS_MAXIMUS, MUSCLES, VESSELS
from glutseg.phantom.patient import PhantomPatient
from glutseg.phantom.shaper import SIGNS, Shaper, generator
from glutseg.phantom.shapes import Chain, Ellipsoid, FloatArray, Solid, offset
from glutseg.phantom.sheath import Sheath

_RECTUM = "0,36,95,9 0,50,60,13 0,44,36,16 0,30,0,17 0,22,-25,14 0,30,-52,9"


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
    """One layer of paint: a solid, grown by a distance or by a sheath.

    Where ``over`` is given, only that tissue takes the paint.
    """

    tissue: Tissue
    solid: Solid
    grow_mm: float = 0.0
    sheath: Sheath | None = None
    over: Tissue | None = None

    def cut(self, z_mm: float) -> Iterator[FloatArray]:
        low, high = self.solid.z_range_mm
        if not low <= z_mm <= high:
            return
        for polygon in self.solid.cut(z_mm):
            if self.sheath is not None:
                yield offset(polygon, self.sheath.width_mm(len(polygon), z_mm))
            else:
                yield offset(polygon, self.grow_mm) if self.grow_mm else polygon


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
    socket = HEAD_RADIUS_MM + JOINT_SPACE_MM
    plates, joints = [], []
    for side, sign in SIGNS.items():
        shaper = Shaper.of(patient, side)
        plate = shaper.solid(ball((*HEAD_CENTRE_MM, socket + SOCKET_PLATE_MM)), sign)
        plates.append(Coat(Tissue.BONE, plate, over=Tissue.MARROW))
        joints.append(Coat(Tissue.CARTILAGE, shaper.solid(ball((*HEAD_CENTRE_MM, socket)), sign)))
    paired = {n: b for n, b in BONES.items() if not b.midline}
    midline = {n: b for n, b in BONES.items() if b.midline}
    sacrum = Shaper.of(patient, "middle").solid(BONES["sacrum"].shape, 0)
    return [
        *_bones(patient, paired),
        *plates,
        *joints,
        Coat(Tissue.CARTILAGE, sacrum, grow_mm=2.5),
        *_bones(patient, midline),
        Coat(Tissue.CARTILAGE, Shaper.of(patient, "middle").solid(SPINAL_CANAL, 1)),
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
            marrows.append(_marrow(solid, bone))
    return shells + marrows


def _marrow(solid: Solid, bone: Bone) -> Coat:
    """Balls shrink, also from above and below; other outlines are moved inwards when cut."""
    tissue = _MARROWS[bone.marrow]
    if not isinstance(solid, Chain):
        return Coat(tissue, solid, grow_mm=-bone.shell_mm)
    return Coat(tissue, Chain(solid.balls_mm - np.array([0, 0, 0, bone.shell_mm])))


def viscera_coats(patient: PhantomPatient) -> list[Coat]:
    """Bladder, rectum with gas, and loops of bowel: for the look, and as something to leak into."""
    rng = generator(patient, "viscera")
    middle = Shaper.of(patient, "middle")
    coats = [
        Coat(Tissue.VISCERA, middle.solid(_RECTUM, 1)),
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
