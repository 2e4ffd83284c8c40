"""One patient's body, ready to be cut at any height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glutseg.phantom import body as b
from glutseg.phantom.patient import PhantomPatient
from glutseg.phantom.shapes import FloatArray, Solid
from glutseg.phantom.skin import SKIN_MM, Cleft, Surface

TABLE_MM = 2.0
TABLE_WIDTH_MM = 400.0
TABLE_GAP_MM = 5.0


@dataclass(frozen=True)
class Model:
    """A patient's solids, unrolled; `rolled` turns a polygon as the patient lies.

    Attributes
    ----------
    coats : layers in painting order
    gluteus_maximus : by side; the solids whose areas are measured
    table : outline of the couch, the same at every height
    """

    patient: PhantomPatient
    coats: tuple[b.Coat, ...]
    gluteus_maximus: dict[str, Solid]
    surface: Surface
    table: FloatArray

    @classmethod
    def of(cls, patient: PhantomPatient) -> Model:
        gluteus = b.gluteus_maximus(patient)
        muscles = b.muscle_coats(patient)
        bones = b.bone_coats(patient)
        inner = [c.solid for c in (*muscles, *bones)] + list(gluteus.values())
        surface = Surface.around(inner, patient.subcutaneous_mm)
        cleft = Cleft(surface.table_mm)
        sheaths = [
            b.Coat(b.Tissue.FAT, solid, sheath=b.sheath_of(patient, f"gluteus-maximus-{side}"))
            for side, solid in gluteus.items()
        ]
        coats = (
            b.Coat(b.Tissue.SKIN, surface),
            b.Coat(b.Tissue.FAT, surface, grow_mm=-SKIN_MM),
            *b.viscera_coats(patient),
            *muscles,
            *b.vessel_coats(patient),
            *sheaths,
            *bones,
            b.Coat(b.Tissue.SKIN, cleft, grow_mm=SKIN_MM),
            b.Coat(b.Tissue.AIR, cleft),
            # last, so that nothing lies over it and its area is that of its outline
            *(b.Coat(b.Tissue.GLUTEUS_MAXIMUS, s) for s in gluteus.values()),
        )
        unplaced = cls(patient, coats, gluteus, surface, np.zeros((0, 2)))
        return cls(patient, coats, gluteus, surface, _table(unplaced.extent_mm((-100.0, 100.0))[1][1]))

    def rolled(self, polygon: FloatArray) -> FloatArray:
        """The polygon as the patient lies: turned about the long axis."""
        angle = np.deg2rad(self.patient.roll_degrees)
        if angle == 0:
            return polygon
        c, s = np.cos(angle), np.sin(angle)
        return np.asarray(polygon @ np.array([[c, -s], [s, c]]))

    def extent_mm(self, z_range_mm: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
        """Smallest and largest (x, y) of body and table between two heights."""
        heights = np.arange(z_range_mm[0], z_range_mm[1] + 4, 4.0)
        points = [self.rolled(p) for z in heights for p in self.surface.cut(float(z))]
        stacked = np.vstack([*points, self.table])
        return stacked.min(axis=0), stacked.max(axis=0)


def _table(body_back_mm: float) -> FloatArray:
    """A flat couch a finger's breadth of cushion below the body."""
    top, half = body_back_mm + TABLE_GAP_MM, TABLE_WIDTH_MM / 2
    return np.array([[-half, top], [half, top], [half, top + TABLE_MM], [-half, top + TABLE_MM]])
