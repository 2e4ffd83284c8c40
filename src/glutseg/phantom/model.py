"""The body of one patient as shapes with cross-sections at any height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glutseg.phantom import body
from glutseg.phantom.patient import PhantomPatient
from glutseg.phantom.shapes import FloatArray, Shape
from glutseg.phantom.skin import SKIN_MM, Cleft, Surface

TABLE_MM = 2.0
"""Thickness of the couch."""
TABLE_WIDTH_MM = 400.0
TABLE_GAP_MM = 5.0
"""Thickness of the cushion between body and couch."""


@dataclass(frozen=True)
class Model:
    """The shapes of a patient before the roll about the long axis, which `rolled` applies to a polygon.

    Attributes
    ----------
    layers : in drawing order
    gluteus_maximus : by side, the shapes whose areas are measured
    surface : the skin
    table : outline (n, 2) of the couch, the same at every height
    """

    patient: PhantomPatient
    layers: tuple[body.TissueLayer, ...]
    gluteus_maximus: dict[str, Shape]
    surface: Surface
    table: FloatArray

    @classmethod
    def of(cls, patient: PhantomPatient) -> Model:
        gluteus = body.gluteus_maximus(patient)
        muscles = body.muscle_layers(patient)
        bones = body.bone_layers(patient)
        inner = [layer.shape for layer in (*muscles, *bones)] + list(gluteus.values())
        surface = Surface.around(inner, patient.subcutaneous_mm)
        cleft = Cleft(surface.table_mm)
        fat_planes = [
            body.TissueLayer(
                body.Tissue.FAT, shape, fat_plane=body.fat_plane_of(patient, f"gluteus-maximus-{side}")
            )
            for side, shape in gluteus.items()
        ]
        layers = (
            body.TissueLayer(body.Tissue.SKIN, surface),
            body.TissueLayer(body.Tissue.FAT, surface, offset_mm=-SKIN_MM),
            *body.viscera_layers(patient),
            *muscles,
            *body.vessel_layers(patient),
            *fat_planes,
            *bones,
            body.TissueLayer(body.Tissue.SKIN, cleft, offset_mm=SKIN_MM),
            body.TissueLayer(body.Tissue.AIR, cleft),
            # drawn last, so that its area is that of its outline
            *(body.TissueLayer(body.Tissue.GLUTEUS_MAXIMUS, s) for s in gluteus.values()),
        )
        without_table = cls(patient, layers, gluteus, surface, np.zeros((0, 2)))
        return cls(patient, layers, gluteus, surface, _table(without_table.extent_mm((-100.0, 100.0))[1][1]))

    def rolled(self, polygon: FloatArray) -> FloatArray:
        """Rotate a polygon (n, 2) about the long axis by the patient's roll."""
        angle = np.deg2rad(self.patient.roll_degrees)
        if angle == 0:
            return polygon
        c, s = np.cos(angle), np.sin(angle)
        return np.asarray(polygon @ np.array([[c, -s], [s, c]]))

    def extent_mm(self, z_range_mm: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
        """Return the smallest and largest (x, y) of body and table between two heights."""
        heights = np.arange(z_range_mm[0], z_range_mm[1] + 4, 4.0)
        points = [self.rolled(p) for z in heights for p in self.surface.cross_sections(float(z))]
        stacked = np.vstack([*points, self.table])
        return stacked.min(axis=0), stacked.max(axis=0)


def _table(body_back_mm: float) -> FloatArray:
    """Return the outline of a flat couch below the body."""
    top, half = body_back_mm + TABLE_GAP_MM, TABLE_WIDTH_MM / 2
    return np.array([[-half, top], [half, top], [half, top + TABLE_MM], [-half, top + TABLE_MM]])
