"""Shapes of a patient's tissues, in the order in which they are drawn over each other."""

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
    sphere,
)
from glutseg.phantom.fat_plane import FatPlane
from glutseg.phantom.muscles import GLUTEUS_MAXIMUS, MUSCLES, VESSELS
from glutseg.phantom.patient import PhantomPatient
from glutseg.phantom.shapes import Ellipsoid, FloatArray, Shape, SphereChain, offset
from glutseg.phantom.variation import SIGNS, AnatomyVariation, generator

SI_CARTILAGE_MM = 2.5
"""Thickness of the cartilage around the sacrum in the sacroiliac joints."""
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
class TissueLayer:
    """A shape filled with one tissue.

    Attributes
    ----------
    offset_mm : distance by which its outline is moved outwards (negative: inwards)
    fat_plane : moves the outline outwards by a varying width instead
    only_over : if given, only this tissue is replaced
    """

    tissue: Tissue
    shape: Shape
    offset_mm: float = 0.0
    fat_plane: FatPlane | None = None
    only_over: Tissue | None = None

    def cross_sections(self, z_mm: float) -> Iterator[FloatArray]:
        """Yield the polygons (n, 2) of the layer at height ``z_mm``."""
        low, high = self.shape.z_range_mm
        if not low <= z_mm <= high:
            return
        for polygon in self.shape.cross_sections(z_mm):
            if self.fat_plane is not None:
                yield offset(polygon, self.fat_plane.width_mm(len(polygon), z_mm))
            else:
                yield offset(polygon, self.offset_mm) if self.offset_mm else polygon


def gluteus_maximus(patient: PhantomPatient) -> dict[str, Shape]:
    """Return the two measured muscles by side."""
    return {
        side: AnatomyVariation.of(patient, side).shape(
            GLUTEUS_MAXIMUS, sign, patient.muscle_scale_left if sign > 0 else patient.muscle_scale_right
        )
        for side, sign in SIGNS.items()
    }


def muscle_layers(patient: PhantomPatient) -> list[TissueLayer]:
    """Return the muscles except gluteus maximus, each with the fat plane around it."""
    layers = []
    for name, outlines in MUSCLES.items():
        for side, sign in SIGNS.items():
            shape = AnatomyVariation.of(patient, side).shape(outlines, sign)
            layers.append(TissueLayer(Tissue.FAT, shape, fat_plane=fat_plane_of(patient, f"{name}-{side}")))
            layers.append(TissueLayer(Tissue.MUSCLE, shape))
    return layers


def fat_plane_of(patient: PhantomPatient, name: str) -> FatPlane:
    """Return the fat plane of a muscle; the text is part of the seed, so changing it changes the phantom."""
    return FatPlane.random(generator(patient, f"sheath-{name}"), patient.plane_mm, patient.plane_gap_fraction)


def vessel_layers(patient: PhantomPatient) -> list[TissueLayer]:
    """Return arteries, veins and sciatic nerves."""
    return [
        TissueLayer(
            Tissue.NERVE if "nerve" in name else Tissue.VESSEL,
            AnatomyVariation.of(patient, side).shape(outlines, sign),
        )
        for name, outlines in VESSELS.items()
        for side, sign in SIGNS.items()
    ]


def bone_layers(patient: PhantomPatient) -> list[TissueLayer]:
    """Return pelvis and spine, the cartilage of the joints over them, then sacrum and femora."""
    socket_radius_mm = HEAD_RADIUS_MM + JOINT_SPACE_MM
    plates, joints = [], []
    for side, sign in SIGNS.items():
        variation = AnatomyVariation.of(patient, side)
        plate = variation.shape(sphere((*HEAD_CENTRE_MM, socket_radius_mm + SOCKET_PLATE_MM)), sign)
        plates.append(TissueLayer(Tissue.BONE, plate, only_over=Tissue.MARROW))
        joints.append(
            TissueLayer(Tissue.CARTILAGE, variation.shape(sphere((*HEAD_CENTRE_MM, socket_radius_mm)), sign))
        )
    paired = {n: b for n, b in BONES.items() if not b.midline}
    midline = {n: b for n, b in BONES.items() if b.midline}
    sacrum = AnatomyVariation.of(patient, "middle").shape(BONES["sacrum"].shape, 0)
    return [
        *_bones(patient, paired),
        *plates,
        *joints,
        TissueLayer(Tissue.CARTILAGE, sacrum, offset_mm=SI_CARTILAGE_MM),
        *_bones(patient, midline),
        TissueLayer(Tissue.CARTILAGE, AnatomyVariation.of(patient, "middle").shape(SPINAL_CANAL, 1)),
        *_bones(patient, FEMUR),
    ]


def _bones(patient: PhantomPatient, bones: dict[str, Bone]) -> list[TissueLayer]:
    """Return all shells before all marrow, so that the marrow of parts of one bone is connected."""
    shells, marrows = [], []
    for bone in bones.values():
        sides = {"middle": 0} if bone.midline else SIGNS
        for side, sign in sides.items():
            shape = AnatomyVariation.of(patient, side).shape(bone.shape, sign)
            shells.append(TissueLayer(Tissue.BONE, shape))
            marrows.append(_marrow(shape, bone))
    return shells + marrows


def _marrow(shape: Shape, bone: Bone) -> TissueLayer:
    """Return the marrow inside a bone: smaller spheres, or outlines moved inwards in each cross-section."""
    tissue = _MARROWS[bone.marrow]
    if not isinstance(shape, SphereChain):
        return TissueLayer(tissue, shape, offset_mm=-bone.shell_mm)
    return TissueLayer(tissue, SphereChain(shape.spheres_mm - np.array([0, 0, 0, bone.shell_mm])))


def viscera_layers(patient: PhantomPatient) -> list[TissueLayer]:
    """Return bladder, rectum with gas and loops of bowel, into which a segmentation may leak."""
    rng = generator(patient, "viscera")
    middle = AnatomyVariation.of(patient, "middle")
    layers = [
        TissueLayer(Tissue.VISCERA, middle.shape(_RECTUM, 1)),
        TissueLayer(Tissue.GAS, Ellipsoid((0, 28, -2), (10, 9, 14))),
        TissueLayer(Tissue.VISCERA, Ellipsoid((0, -12, -30), (21, 17, 18))),
        TissueLayer(Tissue.VISCERA, Ellipsoid((0, -26, 10), (33, 28, 27))),
        TissueLayer(Tissue.FLUID, Ellipsoid((0, -26, 10), (30, 25, 24))),
    ]
    for z in np.arange(50.0, 185.0, 17.0):
        for x in (-45.0, -15.0, 15.0, 45.0):
            centre = np.array([x, -62.0 + 0.1 * (z - 50), z]) + rng.uniform(-7, 7, 3)
            radii = rng.uniform(10, 16, 3)
            layers.append(TissueLayer(Tissue.VISCERA, Ellipsoid(_xyz(centre), _xyz(radii))))
            if rng.random() < 0.4:
                bubble = centre - np.array([0, 0.3 * radii[1], 0])
                layers.append(TissueLayer(Tissue.GAS, Ellipsoid(_xyz(bubble), _xyz(radii * 0.5))))
    return layers


def _xyz(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
