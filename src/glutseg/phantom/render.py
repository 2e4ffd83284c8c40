"""From a patient and a scan to a CT volume with its truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from glutseg.image import SIDES, CtImage, Geometry, Mask
from glutseg.phantom.body import Tissue
from glutseg.phantom.landmarks import landmarks_mm
from glutseg.phantom.model import Model
from glutseg.phantom.patient import PhantomPatient, PhantomScan
from glutseg.phantom.shaper import generator
from glutseg.phantom.shapes import FloatArray, PlaneGrid, area_mm2, fill
from glutseg.phantom.texture import Field, Float32Array

FINE_PIXEL_MM = 0.55
"""Pixels are supersampled until their parts are at most this large."""
FINE_SLICE_MM = 1.6
"""Slices likewise."""
BODY_MARGIN_MM = 12.0

HU: dict[Tissue, float] = {
    Tissue.AIR: -1000, Tissue.FAT: -105, Tissue.SKIN: 10, Tissue.MUSCLE: 56, Tissue.GLUTEUS_MAXIMUS: 55,
    Tissue.BONE: 900, Tissue.MARROW: 140, Tissue.HEAD_MARROW: 270, Tissue.FATTY_MARROW: -20,
    Tissue.CARTILAGE: 62, Tissue.VISCERA: 38, Tissue.FLUID: 8, Tissue.GAS: -900, Tissue.VESSEL: 42,
    Tissue.NERVE: 20, Tissue.TABLE: -250,
}  # fmt: skip
"""Usual values at 120 kVp without contrast."""
_STREAK_HU = -75.0
_FIBRE_SLANT = 0.45
"""The fibres run outwards and forwards by this slope."""
_TEXTURE_HU = {Tissue.FAT: 4.0, Tissue.MUSCLE: 3.0, Tissue.GLUTEUS_MAXIMUS: 3.0, Tissue.MARROW: 60.0,
               Tissue.HEAD_MARROW: 60.0, Tissue.VISCERA: 5.0}  # fmt: skip
_OTHER_MUSCLES_FAT = 0.4
"""Other muscles have this share of the fat of gluteus maximus."""


@dataclass(frozen=True)
class Phantom:
    """A rendered patient with its truth.

    Attributes
    ----------
    volume : CT in canonical order
    truth : voxels whose centre lies inside a gluteus maximus; the exact answer on this grid
    true_landmarks_mm : LPS positions by ``"<landmark>:<side>"``, landmarks named as in protocols
    """

    patient: PhantomPatient
    scan: PhantomScan
    volume: CtImage
    truth: Mask
    true_landmarks_mm: dict[str, tuple[float, float, float]]

    @cached_property
    def _model(self) -> Model:
        return Model.of(self.patient)

    def area_mm2(self, side: str, z_mm: float) -> float:
        """Area of a gluteus maximus at LPS height ``z_mm``, without any grid; 0 beyond its ends."""
        muscle = self._model.gluteus_maximus[side]
        return sum(area_mm2(p) for p in muscle.cut(z_mm - self.scan.centre_mm[2]))


def render(patient: PhantomPatient, scan: PhantomScan | None = None) -> Phantom:
    """Draw a patient on a scan's grid.

    Deterministic: the same patient and scan give the same voxels. The body does not depend on the
    scan, so one patient can be rendered with several pixel sizes and slice thicknesses.
    """
    scan = scan or PhantomScan()
    model = Model.of(patient)
    geometry = grid_of(scan)
    hu = np.full(geometry.shape, -1000, dtype=np.float32)
    body = _body_box(model, scan, geometry)
    painter = _Painter.of(model, scan, body)
    for k in range(geometry.shape[0]):
        z_mm = geometry.slice_z_mm(k) - scan.centre_mm[2]
        hu[k][body.rows, body.columns] = painter.slice_hu(z_mm)
        sigma = scan.blur_mm / scan.pixel_mm
        hu[k] = gaussian_filter(hu[k], sigma) + _noise(patient, scan, k, hu[k] > -500)
    values = np.clip(np.round(hu), -1024, 3071).astype(np.int16)
    return Phantom(
        patient=patient,
        scan=scan,
        volume=CtImage(values, geometry),
        truth=_truth(model, scan, geometry),
        true_landmarks_mm=landmarks_mm(model, scan.centre_mm),
    )


def grid_of(scan: PhantomScan) -> Geometry:
    """The scan's grid: x and y centred, the lowest slice at ``z_range_mm[0]``."""
    slices = 1 + int((scan.z_range_mm[1] - scan.z_range_mm[0]) / scan.slice_mm + 1e-9)
    half = (scan.matrix - 1) / 2 * scan.pixel_mm
    x, y, z = scan.centre_mm
    return Geometry(
        shape=(slices, scan.matrix, scan.matrix),
        spacing_mm=(scan.slice_mm, scan.pixel_mm, scan.pixel_mm),
        origin_mm=(x - half, y - half, z + scan.z_range_mm[0]),
    )


@dataclass(frozen=True)
class _Box:
    """Where the body lies on a slice, and the grid of its supersampled points around the hips."""

    rows: slice
    columns: slice
    fine: PlaneGrid
    parts: int


def _plane(scan: PhantomScan, geometry: Geometry) -> PlaneGrid:
    corner = (geometry.origin_mm[0] - scan.centre_mm[0], geometry.origin_mm[1] - scan.centre_mm[1])
    return PlaneGrid(geometry.shape[1:], (scan.pixel_mm, scan.pixel_mm), corner)


def _body_box(model: Model, scan: PhantomScan, geometry: Geometry) -> _Box:
    plane = _plane(scan, geometry)
    low, high = model.extent_mm(scan.z_range_mm)
    corner = np.array(plane.origin_mm)
    first = np.floor((low - BODY_MARGIN_MM - corner) / scan.pixel_mm)
    last = np.ceil((high + BODY_MARGIN_MM - corner) / scan.pixel_mm)
    x0, y0 = np.clip(first, 0, scan.matrix - 1).astype(int).tolist()
    x1, y1 = np.clip(last, 1, scan.matrix).astype(int).tolist()
    parts = int(np.ceil(scan.pixel_mm / FINE_PIXEL_MM))
    step = scan.pixel_mm / parts
    inset = (step - scan.pixel_mm) / 2  # from a pixel's centre to that of its first part
    fine = PlaneGrid(
        shape=((y1 - y0) * parts, (x1 - x0) * parts),
        spacing_mm=(step, step),
        origin_mm=(
            plane.origin_mm[0] + x0 * scan.pixel_mm + inset,
            plane.origin_mm[1] + y0 * scan.pixel_mm + inset,
        ),
    )
    return _Box(slice(y0, y1), slice(x0, x1), fine, parts)


@dataclass(frozen=True)
class _Painter:
    model: Model
    scan: PhantomScan
    box: _Box
    streaks: Field
    mottle: Field
    streak_limits: tuple[float, float]
    """Of the streak field above which gluteus maximus, other muscles are fat."""

    @classmethod
    def of(cls, model: Model, scan: PhantomScan, box: _Box) -> _Painter:
        patient = model.patient
        streaks = Field.random(generator(patient, "streaks"), (6.0, 0.7, 7.0), (4.0, 0.8, 2.0))
        mottle = Field.random(generator(patient, "mottle"), (4.0, 2.5, 2.5), (4.0, 2.0, 2.0))
        share = patient.muscle_fat_fraction
        limits = [_limit(streaks, s) for s in (share, share * _OTHER_MUSCLES_FAT)]
        return cls(model, scan, box, streaks, mottle, (limits[0], limits[1]))

    def slice_hu(self, z_mm: float) -> Float32Array:
        """Mean HU of each pixel of the box over the slice's thickness."""
        layers = int(np.ceil(self.scan.slice_mm / FINE_SLICE_MM))
        offsets = (np.arange(layers) + 0.5) / layers - 0.5
        total = sum((self._fine_hu(z_mm + o * self.scan.slice_mm) for o in offsets), start=np.float32(0))
        n = self.box.parts
        rows, columns = self.box.fine.shape
        blocks = np.asarray(total).reshape(rows // n, n, columns // n, n)
        return np.asarray(blocks.mean(axis=(1, 3)) / layers, dtype=np.float32)

    def _fine_hu(self, z_mm: float) -> Float32Array:
        tissue = self._tissue(z_mm)
        hu = self._table_of_hu[tissue]
        mottle = self.mottle.plane(self.box.fine, z_mm)
        hu += self._table_of_texture[tissue] * mottle
        streak = self.streaks.plane(self.box.fine, z_mm, shear=_FIBRE_SLANT)
        fat = (tissue == Tissue.GLUTEUS_MAXIMUS) & (streak > self.streak_limits[0])
        fat |= (tissue == Tissue.MUSCLE) & (streak > self.streak_limits[1])
        hu[fat] = _STREAK_HU
        return hu

    @cached_property
    def _table_of_hu(self) -> Float32Array:
        values = HU | {
            Tissue.GLUTEUS_MAXIMUS: self.model.patient.muscle_hu,
            Tissue.MUSCLE: self.model.patient.muscle_hu + HU[Tissue.MUSCLE] - HU[Tissue.GLUTEUS_MAXIMUS],
            Tissue.VESSEL: HU[Tissue.VESSEL] + self.scan.contrast_hu,
        }
        return np.array([values[t] for t in Tissue], dtype=np.float32)

    @cached_property
    def _table_of_texture(self) -> Float32Array:
        return np.array([_TEXTURE_HU.get(t, 0.0) for t in Tissue], dtype=np.float32)

    def _tissue(self, z_mm: float) -> npt.NDArray[np.uint8]:
        tissue = np.full(self.box.fine.shape, Tissue.AIR, dtype=np.uint8)
        _paint(tissue, self.box.fine, Tissue.TABLE, self.model.table)
        for coat in self.model.coats:
            for polygon in coat.cut(z_mm):
                _paint(tissue, self.box.fine, coat.tissue, self.model.rolled(polygon), coat.over)
        return tissue


def _limit(streaks: Field, share: float) -> float:
    """The value that a share of the field lies above, as interpolated and the same for every scan."""
    if share <= 0:
        return float(np.inf)
    grid = PlaneGrid((300, 300), (0.55, 0.55), (0.0, 0.0))
    sample = [streaks.plane(grid, z, shear=_FIBRE_SLANT) for z in np.arange(-60.0, 100.0, 19.0)]
    return float(np.quantile(sample, 1 - share))


def _paint(
    canvas: npt.NDArray[np.uint8],
    grid: PlaneGrid,
    tissue: Tissue,
    polygon: FloatArray,
    over: Tissue | None = None,
) -> None:
    hit = fill(polygon, grid)
    if hit is None:
        return
    box, inside = hit
    if over is not None:
        inside = inside & (canvas[box] == over)
    canvas[box][inside] = tissue


def _noise(patient: PhantomPatient, scan: PhantomScan, k: int, body: npt.NDArray[np.bool_]) -> Float32Array:
    """Noise of one slice: a little smooth, as a soft kernel leaves it; less outside the body."""
    if scan.noise_hu == 0:
        return np.zeros(body.shape, dtype=np.float32)
    rng = np.random.default_rng([patient.seed, k, 0x0153])
    noise = gaussian_filter(rng.standard_normal(body.shape, dtype=np.float32), 0.6)
    noise *= scan.noise_hu / noise.std()
    return np.asarray(np.where(body, noise, 0.4 * noise), dtype=np.float32)


def _truth(model: Model, scan: PhantomScan, geometry: Geometry) -> Mask:
    labels = np.zeros(geometry.shape, dtype=np.uint8)
    plane = _plane(scan, geometry)
    for k in range(geometry.shape[0]):
        z_mm = geometry.slice_z_mm(k) - scan.centre_mm[2]
        for side, label in SIDES.items():
            for polygon in model.gluteus_maximus[side].cut(z_mm):
                hit = fill(model.rolled(polygon), plane)
                if hit is not None:
                    labels[k][hit[0]][hit[1]] = label
    return Mask(labels, geometry)
