"""Render a CT volume of a phantom patient, with the true muscle masks."""

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
from glutseg.phantom.shapes import FloatArray, PlaneGrid, area_mm2, fill
from glutseg.phantom.texture import Float32Array, RandomField
from glutseg.phantom.variation import generator

FINE_PIXEL_MM = 0.55
"""Largest size of the subpixels into which a pixel is divided."""
FINE_SLICE_MM = 1.6
"""Largest distance of the planes that are averaged for a slice."""
BODY_MARGIN_MM = 12.0
"""Margin around the body that is drawn with subpixels."""

HU: dict[Tissue, float] = {
    Tissue.AIR: -1000, Tissue.FAT: -105, Tissue.SKIN: 10, Tissue.MUSCLE: 56, Tissue.GLUTEUS_MAXIMUS: 55,
    Tissue.BONE: 900, Tissue.MARROW: 140, Tissue.HEAD_MARROW: 270, Tissue.FATTY_MARROW: -20,
    Tissue.CARTILAGE: 62, Tissue.VISCERA: 38, Tissue.FLUID: 8, Tissue.GAS: -900, Tissue.VESSEL: 42,
    Tissue.NERVE: 20, Tissue.TABLE: -250,
}  # fmt: skip
"""Typical values at 120 kVp without contrast."""
_INFILTRATION_HU = -75.0
"""Value of fat within muscle, which contains some muscle fibres."""
BODY_HU = -500
"""Pixels above this are body, where the noise is full."""
_FIBRE_SLANT = 0.45
"""Slope of the muscle fibres, which run laterally and forwards."""
_TEXTURE_HU = {Tissue.FAT: 4.0, Tissue.MUSCLE: 3.0, Tissue.GLUTEUS_MAXIMUS: 3.0, Tissue.MARROW: 60.0,
               Tissue.HEAD_MARROW: 60.0, Tissue.VISCERA: 5.0}  # fmt: skip
"""Standard deviation of the texture; other tissues have none."""
_OTHER_MUSCLES_FAT_RATIO = 0.4
"""Fat infiltration of the other muscles relative to gluteus maximus."""


@dataclass(frozen=True)
class Phantom:
    """A rendered patient with the true muscle masks.

    Attributes
    ----------
    volume : CT in canonical order
    truth : voxels whose centre is inside a gluteus maximus
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
        """Return the exact area of a gluteus maximus at LPS height ``z_mm``; 0 beyond its ends."""
        muscle = self._model.gluteus_maximus[side]
        return sum(area_mm2(p) for p in muscle.cross_sections(z_mm - self.scan.centre_mm[2]))


def render(patient: PhantomPatient, scan: PhantomScan | None = None) -> Phantom:
    """Render a patient on the grid of a scan.

    The same patient and scan give the same voxels. The body does not depend on the scan, so one patient can
    be rendered with several pixel sizes and slice thicknesses.
    """
    scan = scan or PhantomScan()
    model = Model.of(patient)
    geometry = grid_of(scan)
    hu = np.full(geometry.shape, -1000, dtype=np.float32)
    body = _body_box(model, scan, geometry)
    renderer = _Renderer.of(model, scan, body)
    sigma = scan.blur_mm / scan.pixel_mm
    for slice_index in range(geometry.shape[0]):
        z_mm = geometry.slice_z_mm(slice_index) - scan.centre_mm[2]
        image = hu[slice_index]
        image[body.rows, body.columns] = renderer.slice_hu(z_mm)
        image[:] = gaussian_filter(image, sigma) + _noise(patient, scan, slice_index, image > BODY_HU)
    values = np.clip(np.round(hu), -1024, 3071).astype(np.int16)
    return Phantom(
        patient=patient,
        scan=scan,
        volume=CtImage(values, geometry),
        truth=_truth(model, scan, geometry),
        true_landmarks_mm=landmarks_mm(model, scan.centre_mm),
    )


def grid_of(scan: PhantomScan) -> Geometry:
    """Return the grid of a scan: x and y centred, the lowest slice at ``z_range_mm[0]``."""
    n_slices = 1 + int((scan.z_range_mm[1] - scan.z_range_mm[0]) / scan.slice_mm + 1e-9)
    half = (scan.matrix - 1) / 2 * scan.pixel_mm
    x, y, z = scan.centre_mm
    return Geometry(
        shape=(n_slices, scan.matrix, scan.matrix),
        spacing_mm=(scan.slice_mm, scan.pixel_mm, scan.pixel_mm),
        origin_mm=(x - half, y - half, z + scan.z_range_mm[0]),
    )


@dataclass(frozen=True)
class _Box:
    """The part of a slice that contains the body, and its grid of subpixels."""

    rows: slice
    columns: slice
    fine: PlaneGrid
    subpixels: int


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
    subpixels = int(np.ceil(scan.pixel_mm / FINE_PIXEL_MM))
    step = scan.pixel_mm / subpixels
    inset = (step - scan.pixel_mm) / 2  # from the centre of a pixel to that of its first subpixel
    fine = PlaneGrid(
        shape=((y1 - y0) * subpixels, (x1 - x0) * subpixels),
        spacing_mm=(step, step),
        origin_mm=(
            plane.origin_mm[0] + x0 * scan.pixel_mm + inset,
            plane.origin_mm[1] + y0 * scan.pixel_mm + inset,
        ),
    )
    return _Box(slice(y0, y1), slice(x0, x1), fine, subpixels)


@dataclass(frozen=True)
class _Renderer:
    model: Model
    scan: PhantomScan
    box: _Box
    infiltration: RandomField
    texture: RandomField
    infiltration_thresholds: tuple[float, float]
    """Values of the infiltration field above which gluteus maximus and other muscles are fat."""

    @classmethod
    def of(cls, model: Model, scan: PhantomScan, box: _Box) -> _Renderer:
        patient = model.patient
        infiltration = RandomField.random(generator(patient, "streaks"), (6.0, 0.7, 7.0), (4.0, 0.8, 2.0))
        texture = RandomField.random(generator(patient, "mottle"), (4.0, 2.5, 2.5), (4.0, 2.0, 2.0))
        share = patient.muscle_fat_fraction
        thresholds = (
            _threshold(infiltration, share),
            _threshold(infiltration, share * _OTHER_MUSCLES_FAT_RATIO),
        )
        return cls(model, scan, box, infiltration, texture, thresholds)

    def slice_hu(self, z_mm: float) -> Float32Array:
        """Return the mean HU of each pixel of the box over the slice thickness."""
        n_planes = int(np.ceil(self.scan.slice_mm / FINE_SLICE_MM))
        offsets = (np.arange(n_planes) + 0.5) / n_planes - 0.5
        total = sum((self._fine_hu(z_mm + o * self.scan.slice_mm) for o in offsets), start=np.float32(0))
        n = self.box.subpixels
        rows, columns = self.box.fine.shape
        blocks = np.asarray(total).reshape(rows // n, n, columns // n, n)
        return np.asarray(blocks.mean(axis=(1, 3)) / n_planes, dtype=np.float32)

    def _fine_hu(self, z_mm: float) -> Float32Array:
        tissue = self._tissue(z_mm)
        hu = self._table_of_hu[tissue]
        texture = self.texture.plane(self.box.fine, z_mm)
        hu += self._table_of_texture[tissue] * texture
        infiltration = self.infiltration.plane(self.box.fine, z_mm, shear=_FIBRE_SLANT)
        fat = (tissue == Tissue.GLUTEUS_MAXIMUS) & (infiltration > self.infiltration_thresholds[0])
        fat |= (tissue == Tissue.MUSCLE) & (infiltration > self.infiltration_thresholds[1])
        hu[fat] = _INFILTRATION_HU
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
        for layer in self.model.layers:
            for polygon in layer.cross_sections(z_mm):
                _paint(tissue, self.box.fine, layer.tissue, self.model.rolled(polygon), layer.only_over)
        return tissue


def _threshold(infiltration: RandomField, share: float) -> float:
    """Return the value that is exceeded in this share of the interpolated field, the same for every scan."""
    if share <= 0:
        return float(np.inf)
    grid = PlaneGrid((300, 300), (0.55, 0.55), (0.0, 0.0))
    sample = [infiltration.plane(grid, z, shear=_FIBRE_SLANT) for z in np.arange(-60.0, 100.0, 19.0)]
    return float(np.quantile(sample, 1 - share))


def _paint(
    canvas: npt.NDArray[np.uint8],
    grid: PlaneGrid,
    tissue: Tissue,
    polygon: FloatArray,
    only_over: Tissue | None = None,
) -> None:
    hit = fill(polygon, grid)
    if hit is None:
        return
    box, inside = hit
    if only_over is not None:
        inside = inside & (canvas[box] == only_over)
    canvas[box][inside] = tissue


def _noise(
    patient: PhantomPatient, scan: PhantomScan, slice_index: int, body: npt.NDArray[np.bool_]
) -> Float32Array:
    """Return the noise of one slice, slightly smoothed as by a soft kernel; less outside the body."""
    if scan.noise_hu == 0:
        return np.zeros(body.shape, dtype=np.float32)
    rng = np.random.default_rng([patient.seed, slice_index, 0x0153])
    noise = gaussian_filter(rng.standard_normal(body.shape, dtype=np.float32), 0.6)
    noise *= scan.noise_hu / noise.std()
    return np.asarray(np.where(body, noise, 0.4 * noise), dtype=np.float32)


def _truth(model: Model, scan: PhantomScan, geometry: Geometry) -> Mask:
    labels = np.zeros(geometry.shape, dtype=np.uint8)
    plane = _plane(scan, geometry)
    for slice_index in range(geometry.shape[0]):
        z_mm = geometry.slice_z_mm(slice_index) - scan.centre_mm[2]
        for side, label in SIDES.items():
            for polygon in model.gluteus_maximus[side].cross_sections(z_mm):
                hit = fill(model.rolled(polygon), plane)
                if hit is not None:
                    labels[slice_index][hit[0]][hit[1]] = label
    return Mask(labels, geometry)
