"""The hips on a single slice: whether it is one of the pelvis, and about where the femoral heads lie in it.

A single slice shows no ball. What it must show is one body with, on both sides of the plane about which its
bones are symmetrical, bone that is larger than a femoral shaft or a rib: ilium, socket and head, trochanter
or ischium. The muscles are looked for behind it, and only there does the network decide whether there are any
(`glutseg.segmentation.single_slice`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.anatomy.hips import Hips
from glutseg.anatomy.level import Anatomy
from glutseg.anatomy.sphere import Sphere, slabs
from glutseg.errors import GlutsegError
from glutseg.image import SIDES, CtImage, Geometry, Side
from glutseg.settings import METHOD, Method, SingleSliceSettings

BoolArray = npt.NDArray[np.bool_]


def find_anatomy_on_slice(image: CtImage, method: Method = METHOD) -> Anatomy:
    """The hips of an image of one axial slice, as if its axes ran along the patient's.

    Their centres lie where the femoral heads would be, to within 15 mm, above or below the slice or in it: at
    the height of the slice. The radius is that of an adult.

    Raises
    ------
    GlutsegError
        ``hips-not-found`` with the reason why the slice is none of the pelvis.
    """
    settings = method.single_slice
    flat = CtImage(image.hu, Geometry(image.geometry.shape, image.geometry.spacing_mm))
    small = slabs(flat, flat.geometry.spacing_mm[0], settings.pixel_mm)
    pixel_mm = small.geometry.spacing_mm[1:]
    hu = small.hu[0]
    body = _body(hu, pixel_mm, settings)
    bone = _bone(hu, body, pixel_mm, settings)
    middle = _symmetry_column(bone, body, pixel_mm, settings)
    rows = [_row_beside(bone, middle, side, pixel_mm, settings) for side in SIDES]
    row = float(np.mean(rows)) - settings.before_bone_mm / pixel_mm[0]
    offset = settings.head_offset_mm / pixel_mm[1]
    left, right = (
        Sphere(small.geometry.point_mm(0, row, middle + sign * offset), settings.head_radius_mm, 0.0)
        for sign in (1, -1)
    )
    return Anatomy(flat, Hips(left, right, 1.0), method=method)


def _refuse(why: str) -> GlutsegError:
    return GlutsegError("hips-not-found", f"the slice shows no two hips: {why}")


def _body(hu: npt.NDArray[np.int16], pixel_mm: tuple[float, ...], settings: SingleSliceSettings) -> BoolArray:
    """The largest thing on the slice, filled, without what is thinner than a limb.

    Raises
    ------
    GlutsegError
        ``hips-not-found`` for a leg alone, and for lungs.
    """
    n = max(1, round(settings.table_mm / 2 / min(pixel_mm)))
    pieces, n_pieces = ndi.label(ndi.binary_opening(hu > settings.tissue_hu, iterations=n))
    if not n_pieces:
        raise _refuse("there is no body")
    largest = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    body = np.asarray(ndi.binary_fill_holes(largest), bool)
    columns = np.flatnonzero(body.any(axis=0))
    width_mm = len(columns) * pixel_mm[1]
    if width_mm < settings.min_body_mm:
        raise _refuse(f"the largest thing is {width_mm:.0f} mm wide, as a leg, a head or a neck is")
    air = float((hu[body] < settings.air_hu).mean())
    if air > settings.max_air_share:
        raise _refuse(f"{air:.0%} of the body is air, as in the chest")
    return body


def _bone(
    hu: npt.NDArray[np.int16], body: BoolArray, pixel_mm: tuple[float, ...], settings: SingleSliceSettings
) -> BoolArray:
    """Bone without small pieces, filled."""
    pieces, _ = ndi.label(ndi.binary_closing((hu > settings.bone_hu) & body))
    areas_mm2 = np.bincount(pieces.ravel()) * pixel_mm[0] * pixel_mm[1]
    areas_mm2[0] = 0
    return np.asarray(ndi.binary_fill_holes((areas_mm2 > settings.min_piece_mm2)[pieces]), bool)


def _symmetry_column(
    bone: BoolArray, body: BoolArray, pixel_mm: tuple[float, ...], settings: SingleSliceSettings
) -> float:
    """Column about which the bone is most symmetrical, near the middle of the body."""
    smooth = ndi.gaussian_filter(bone.astype(np.float32), [settings.smoothing_mm / s for s in pixel_mm])
    n = smooth.shape[1]
    # the product of the bone with its mirror image, for every place of the mirror at once
    match = np.fft.irfft((np.fft.rfft(smooth, 2 * n, axis=1) ** 2).sum(0), 2 * n)[: 2 * n - 1]
    columns = np.arange(2 * n - 1) / 2
    near = np.abs(columns - np.nonzero(body)[1].mean()) * pixel_mm[1] < settings.symmetry_reach_mm
    return float(columns[np.where(near, match, -1.0).argmax()])


def _row_beside(
    bone: BoolArray, middle: float, side: Side, pixel_mm: tuple[float, ...], settings: SingleSliceSettings
) -> float:
    """Row of the centroid of the bone of one side.

    Raises
    ------
    GlutsegError
        ``hips-not-found`` where it is as small as a rib or a femoral shaft, or there is none.
    """
    rows, columns = np.nonzero(bone)
    outwards_mm = (columns - middle) * pixel_mm[1] * (1 if side == "left" else -1)
    own = outwards_mm > settings.beside_mm
    area_mm2 = float(np.count_nonzero(own)) * pixel_mm[0] * pixel_mm[1]
    if area_mm2 < settings.min_bone_mm2:
        raise _refuse(
            f"{area_mm2:.0f} mm² of bone on the {side}, a hip has {settings.min_bone_mm2:.0f} or more"
        )
    extent_mm = max(float(np.ptp(outwards_mm[own])), float(np.ptp(rows[own])) * pixel_mm[0])
    if extent_mm < settings.min_extent_mm:
        raise _refuse(f"the bone on the {side} is {extent_mm:.0f} mm wide, as a femoral shaft is")
    return float(rows[own].mean())
