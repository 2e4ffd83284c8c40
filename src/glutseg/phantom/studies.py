"""Write folders of phantom studies with the true areas."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from glutseg.errors import GlutsegError
from glutseg.image import SIDES
from glutseg.phantom.dicom_files import Compression, Position, write_dicom
from glutseg.phantom.patient import PhantomPatient, PhantomScan
from glutseg.phantom.render import Phantom, render

TRUTH_FILE = "truth.json"

Progress = Callable[[int, int], None]
"""Called with (number of patients rendered, total number)."""

SAMPLE_SCAN = PhantomScan(matrix=384, pixel_mm=1.1, slice_mm=5.0, z_range_mm=(-80.0, 110.0), noise_hu=9.0)
SAMPLE_PATIENTS = (
    PhantomPatient(seed=10, patient_id="PHANTOM-0001", sex="F", age=54, height_m=1.63),
    PhantomPatient(
        seed=11,
        patient_id="PHANTOM-0002",
        sex="M",
        age=71,
        height_m=1.76,
        muscle_scale_left=1.12,
        muscle_scale_right=1.05,
        muscle_hu=48.0,
        muscle_fat_fraction=0.10,
        subcutaneous_mm=19.0,
    ),
)


def random_patients(count: int, seed: int = 1) -> Iterator[PhantomPatient]:
    """Yield different plausible patients PHANTOM-0001, -0002, ...; the same seed gives the same ones."""
    for number in range(1, count + 1):
        rng = np.random.default_rng([seed, number])
        female = bool(rng.random() < 0.5)
        thickness = rng.normal(0.95 if female else 1.1, 0.12)
        left, right = np.clip(thickness + rng.normal(0, 0.03, 2), 0.6, 1.5)
        yield PhantomPatient(
            seed=int(rng.integers(1, 2**31)),
            patient_id=f"PHANTOM-{number:04d}",
            sex="F" if female else "M",
            age=int(rng.integers(25, 88)),
            height_m=round(float(np.clip(rng.normal(1.63 if female else 1.76, 0.06), 1.45, 2.0)), 2),
            muscle_scale_left=float(left),
            muscle_scale_right=float(right),
            muscle_hu=float(rng.uniform(42, 60)),
            muscle_fat_fraction=float(rng.uniform(0.03, 0.16)),
            subcutaneous_mm=float(rng.uniform(14, 42)),
            plane_mm=float(rng.uniform(0.8, 1.6)),
            plane_gap_fraction=float(rng.uniform(0.15, 0.4)),
            roll_degrees=float(rng.normal(0, 2)),
        )


def write_studies(
    out: Path,
    patients: Sequence[PhantomPatient],
    scan: PhantomScan | None = None,
    *,
    compression: Compression = "none",
    position: Position = "HFS",
    masks: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Write one folder of DICOM files per patient, named by ``patient_id``, and ``truth.json``.

    ``masks`` adds ``truth-<patient_id>.nii.gz`` per patient (1 left, 2 right gluteus maximus).

    Returns
    -------
    list of Path
        Folders of the studies, in the order of the patients.

    Raises
    ------
    GlutsegError
        ``output-exists`` if a patient's folder holds files already: nothing is replaced.
    """
    folders = [out / p.patient_id for p in patients]
    if len(set(folders)) < len(folders):
        msg = "two phantom patients share a patient_id"
        raise ValueError(msg)
    for folder in (*folders, out / TRUTH_FILE):
        if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
            raise GlutsegError("output-exists", "the folder holds a phantom already", str(folder))
    truths = []
    for n_done, (patient, folder) in enumerate(zip(patients, folders, strict=True)):
        if progress:
            progress(n_done, len(patients))
        phantom = render(patient, scan)
        write_dicom(phantom, folder, compression=compression, position=position)
        truths.append(truth_of(phantom))
        if masks:
            _write_mask(phantom, out / f"truth-{patient.patient_id}.nii.gz")
    beside = out / f"{TRUTH_FILE}.part"
    beside.write_text(json.dumps({"patients": truths}, indent=1) + "\n", encoding="utf-8")
    beside.replace(out / TRUTH_FILE)
    return folders


def write_sample(out: Path, progress: Progress | None = None) -> list[Path]:
    """Write the two small patients of ``sample_dicom/``."""
    return write_studies(out, SAMPLE_PATIENTS, SAMPLE_SCAN, compression="jpeg-ls", progress=progress)


def truth_of(phantom: Phantom) -> dict[str, Any]:
    """Return parameters, landmarks and areas per slice of a phantom as JSON values.

    ``area_*_mm2`` is the number of pixels whose centre is in the muscle times the pixel area,
    ``outline_area_*_mm2`` the exact area of the outline in the middle of the slice.
    """
    geometry = phantom.volume.geometry
    slices = []
    for slice_index in reversed(range(geometry.shape[0])):
        z_mm = geometry.slice_z_mm(slice_index)
        entry: dict[str, Any] = {"instance": geometry.shape[0] - slice_index, "z_mm": round(z_mm, 3)}
        for side, label in SIDES.items():
            pixels = int((phantom.truth.labels[slice_index] == label).sum())
            entry[f"area_{side}_mm2"] = round(pixels * geometry.pixel_area_mm2, 2)
            entry[f"outline_area_{side}_mm2"] = round(phantom.area_mm2(side, z_mm), 2)
        slices.append(entry)
    return {
        "patient": asdict(phantom.patient),
        "scan": asdict(phantom.scan),
        "landmarks_mm": {
            name: [round(v, 2) for v in point] for name, point in phantom.true_landmarks_mm.items()
        },
        "slices": slices,
    }


def _write_mask(phantom: Phantom, path: Path) -> None:
    import SimpleITK as sitk

    beside = path.with_name(f"part-{path.name}")
    sitk.WriteImage(phantom.truth.to_sitk(), str(beside), True)
    beside.replace(path)
