"""Turn label maps and CT series into the one file that training reads.

python -m training.prepare volumes.toml pelves.npz

The TOML file has a table for each volume; paths are relative to it::

    [002]
    patient = "002"
    kind = "labelled"               # map, labelled, simulated or unlabelled
    labels = "002/label.mhd"        # codes of training.labels; in simulated ones those of a truth.nii.gz
    body = "002/mask.mhd"           # the body's mask, of map and labelled
    ct = "002/dicom"                # not of map
    heads_mm = [[106.3, 121.0, 281.6], [-73.6, 114.0, 273.8]]   # left and right, x y z, LPS
"""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any, Final

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import convex_hull_image

from training.labels import AIR, AROUND_JOINT, FEMUR, HIP_BONE, INSIDE_PELVIS, OTHER_SOFT_TISSUE

HU_OF_CODE: Final = np.concatenate(
    [np.linspace(-1024, -200, 21)[:-1], np.linspace(-200, 220, 201)[:-1], np.linspace(220, 1500, 36)]
).astype(np.float32)
"""CT are stored in 256 steps: 2 HU where soft tissue is, coarser in air and bone."""
REACH_MM: Final = ((-135.0, -112.0, -168.0), (135.0, 162.0, 158.0))
"""Beyond the heads (x, y, z): what the network's grid can reach when it is turned and deformed."""
LABEL_SPACING_MM: Final = (1.0, 1.0, 1.5)
PIXEL_MM: Final = 1.0
WALL_CODES: Final = (1, 3, 4, 8, 10, 13, 26, 28)
"""Bones and muscles of the pelvic and abdominal wall: what lies within their hull is inside."""
CODE_OF_TRUTH: Final = np.array([0, 5, 5, 6, 7, 8, 1, 2, 3, 4], np.uint8)
"""Of a rendered case: maximus (left, right), medius, minimus, other muscle, hip, femur, sacrum, spine."""

Point = tuple[float, float, float]
Labels = NDArray[np.uint8]


def read_series(folder: Path) -> sitk.Image:
    """A DICOM series in LPS order as float32."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return sitk.DICOMOrient(sitk.Cast(reader.Execute(), sitk.sitkFloat32), "LPS")


def around_heads(image: sitk.Image, heads_mm: NDArray[np.float64]) -> sitk.Image:
    """The part of an image within reach of the femoral heads."""
    first_mm, last_mm = heads_mm.min(0) + REACH_MM[0], heads_mm.max(0) + REACH_MM[1]
    to_index = image.TransformPhysicalPointToContinuousIndex
    first = np.maximum(np.floor(to_index(tuple(first_mm))), 0).astype(int)
    last = np.minimum(np.ceil(to_index(tuple(last_mm))) + 1, image.GetSize()).astype(int)
    return image[tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))]


def resampled(
    image: sitk.Image, spacing_mm: Point, fill: float, interpolator: int = sitk.sitkLinear
) -> sitk.Image:
    """The same box with another spacing."""
    extent = [(n - 1) * s for n, s in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    grid = sitk.Image(
        [int(e / s + 1e-6) + 1 for e, s in zip(extent, spacing_mm, strict=True)], image.GetPixelID()
    )
    grid.SetOrigin(image.GetOrigin())
    grid.SetSpacing(spacing_mm)
    return sitk.Resample(image, grid, sitk.Transform(), interpolator, fill)


def smooth_labels(labels: sitk.Image) -> Labels:
    """Labels on the fine grid without the steps of the slices: the code that is largest after blurring."""
    best: NDArray[np.float32] | None = None
    out: Labels | None = None
    sigma_mm = (0.7, 0.7, 0.55 * labels.GetSpacing()[2])
    for code in np.unique(sitk.GetArrayViewFromImage(labels)):
        mask = sitk.Cast(labels == int(code), sitk.sitkFloat32)
        mask = sitk.DiscreteGaussian(mask, [s * s for s in sigma_mm], 16, 0.01, True)
        share = sitk.GetArrayFromImage(resampled(mask, LABEL_SPACING_MM, 0.0))
        if best is None or out is None:
            best, out = share, np.full(share.shape, code, np.uint8)
        else:
            larger = share > best
            out[larger], best[larger] = code, share[larger]
    if out is None:
        msg = "a label map without voxels"
        raise ValueError(msg)
    return out


def unlabelled_regions(labels: Labels, body: NDArray[np.bool_], spacing_mm: Point) -> Labels:
    """Codes of what is not labelled: air, inside the pelvis, around the joint; else 0. Spacing z, y, x."""
    free = labels == 0
    inside = np.zeros(labels.shape, bool)
    for wall, plane in zip(np.isin(labels, WALL_CODES), inside, strict=True):
        if wall.sum() > 300:
            plane[:] = convex_hull_image(wall)
    out = np.zeros(labels.shape, np.uint8)
    out[inside & free & (ndimage.distance_transform_edt(free, sampling=spacing_mm) > 2)] = INSIDE_PELVIS
    to_hip, to_femur = (
        ndimage.distance_transform_edt(labels != bone, sampling=spacing_mm) for bone in (HIP_BONE, FEMUR)
    )
    out[free & (to_hip < 30) & (to_femur < 30)] = AROUND_JOINT
    out[free & ~body] = AIR
    return out


def seen_soft_tissue(hu: NDArray[np.float32], labels: Labels, body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mask of unlabelled soft tissue on a CT, without the skin."""
    soft = ndimage.median_filter(hu, (1, 5, 5)) > -25
    depth = np.stack([ndimage.distance_transform_edt(plane) for plane in body])
    return np.asarray(soft & (labels == 0) & body & (depth > 4))


def manual_labels(
    spec: dict[str, Any], folder: Path, heads_mm: NDArray[np.float64], ct: sitk.Image | None
) -> tuple[Labels, Point]:
    """Codes on the fine grid, and the origin (x, y, z), of a manual label map and its body mask."""
    image = around_heads(sitk.ReadImage(str(folder / spec["labels"]), sitk.sitkUInt8), heads_mm)
    labels = sitk.GetArrayFromImage(image)
    mask = sitk.GetArrayFromImage(around_heads(sitk.ReadImage(str(folder / spec["body"])), heads_mm)) > 0
    body = np.stack([ndimage.binary_fill_holes(plane) for plane in mask | (labels > 0)])
    regions = unlabelled_regions(labels, body, image.GetSpacing()[::-1])
    if ct is not None:
        hu = sitk.GetArrayFromImage(
            sitk.Resample(ct, image, sitk.Transform(), sitk.sitkLinear, -1024.0, sitk.sitkFloat32)
        )
        regions[seen_soft_tissue(hu, labels, body)] = OTHER_SOFT_TISSUE
    region_image = sitk.GetImageFromArray(regions)
    region_image.CopyInformation(image)
    out = smooth_labels(image)
    fine = sitk.GetArrayFromImage(resampled(region_image, LABEL_SPACING_MM, AIR, sitk.sitkNearestNeighbor))
    out[out == 0] = fine[out == 0]
    return out, image.GetOrigin()


def simulated_labels(
    spec: dict[str, Any], folder: Path, heads_mm: NDArray[np.float64]
) -> tuple[Labels, Point]:
    """Codes on the fine grid, and the origin, of the truth of a rendered case."""
    truth = sitk.DICOMOrient(sitk.ReadImage(str(folder / spec["labels"]), sitk.sitkUInt8), "LPS")
    truth = around_heads(truth, heads_mm)
    image = sitk.GetImageFromArray(CODE_OF_TRUTH[sitk.GetArrayFromImage(truth)])
    image.CopyInformation(truth)
    return smooth_labels(image), image.GetOrigin()


def prepared(
    name: str, spec: dict[str, Any], folder: Path
) -> tuple[dict[str, NDArray[np.uint8]], dict[str, Any]]:
    """Arrays of one volume by their names in the file, and what is known of it."""
    heads_mm = np.array(spec["heads_mm"], float)
    arrays: dict[str, NDArray[np.uint8]] = {}
    meta: dict[str, Any] = {key: spec[key] for key in ("patient", "kind", "heads_mm")}
    ct = None
    if "ct" in spec:
        ct = around_heads(read_series(folder / spec["ct"]), heads_mm)
        ct = resampled(ct, (PIXEL_MM, PIXEL_MM, ct.GetSpacing()[2]), -1024.0)
        middle = (HU_OF_CODE[1:] + HU_OF_CODE[:-1]) / 2
        arrays[f"{name}_ct"] = np.searchsorted(middle, sitk.GetArrayFromImage(ct)).astype(np.uint8)
        meta |= {"ct_origin_mm": ct.GetOrigin(), "ct_spacing_mm": ct.GetSpacing()}
    if "labels" in spec:
        is_simulated = spec["kind"] == "simulated"
        labels, origin_mm = (
            simulated_labels(spec, folder, heads_mm)
            if is_simulated
            else manual_labels(spec, folder, heads_mm, ct)
        )
        arrays[f"{name}_labels"] = labels
        meta |= {"labels_origin_mm": origin_mm, "labels_spacing_mm": LABEL_SPACING_MM}
    return arrays, meta


def prepare(manifest: Path, out: Path) -> None:
    """Write the training file of a manifest."""
    arrays: dict[str, NDArray[np.uint8]] = {}
    meta: dict[str, Any] = {}
    for name, spec in tomllib.loads(manifest.read_text(encoding="utf-8")).items():
        of_volume, meta[name] = prepared(name, spec, manifest.parent)
        arrays |= of_volume
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez_compressed(out, allow_pickle=False, hu=HU_OF_CODE, meta=text, **arrays)


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Prepare training volumes.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    prepare(options.manifest, options.out)


if __name__ == "__main__":
    main()
