"""What the benchmarks of speed measure: phantoms, made once and kept in a folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gdcm
import numpy as np
import numpy.typing as npt
from pydicom import dcmread

from glutseg.image import CtImage, Mask
from glutseg.phantom import Phantom, PhantomPatient, PhantomScan, render, write_dicom
from glutseg.phantom.render import grid_of

PELVIS = PhantomScan(slice_mm=1.0, z_range_mm=(-130.0, 169.0))
"""300 slices of 512 x 512."""
SMALL = PhantomScan(matrix=192, pixel_mm=2.2, slice_mm=5.0, z_range_mm=(-80.0, 90.0))
"""35 slices, just enough to be measured."""
TINY = PhantomScan(matrix=64, pixel_mm=5.0, slice_mm=5.0, z_range_mm=(-80.0, 165.0))
"""50 slices, of which only the headers are read."""
SERIAL_DIGITS = 6
PATIENT = PhantomPatient(seed=3, patient_id="PHANTOM-" + "0" * SERIAL_DIGITS)
LUNGS_FROM_MM = 150.0
"""Above the pelvis' last slice; the belly lies between."""

Ellipse = tuple[float, float, float, float]
"""Centre x, y and half axes, mm."""


def study(keep: Path, n_slices: int, *, jpeg2000: bool = False) -> Path:
    """The folder of one study: fewer than 300 slices thin the pelvis out, more set a trunk above it."""
    if jpeg2000:
        plain = study(keep, n_slices)
        return _once(keep / f"{n_slices}-jpeg2000", lambda folder: _compress(plain, folder))
    return _once(
        keep / f"{n_slices}-uncompressed", lambda folder: write_dicom(_phantom(keep, n_slices), folder)
    )


def cohort(keep: Path, n_studies: int, scan: PhantomScan, name: str) -> Path:
    """A folder of studies that are all one phantom, under UIDs and patient ids of their own."""
    one = _once(keep / name, lambda folder: write_dicom(render(PATIENT, scan), folder))
    return _once(keep / f"{name}-{n_studies}", lambda folder: _multiply(one, folder, n_studies))


def _once(folder: Path, make: Callable[[Path], object]) -> Path:
    """A folder that is whole or not there."""
    if not folder.is_dir():
        beside = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        make(beside)
        beside.rename(folder)
    return folder


def _phantom(keep: Path, n_slices: int) -> Phantom:
    kept = _once(
        keep / "pelvis", lambda folder: np.save(folder / "hu.npy", render(PATIENT, PELVIS).volume.hu)
    )
    hu, geometry = np.load(kept / "hu.npy"), grid_of(PELVIS)
    if n_slices <= len(hu):
        step = len(hu) // n_slices
        hu = hu[: n_slices * step : step]
        geometry = replace(
            geometry, shape=hu.shape, spacing_mm=(step * PELVIS.slice_mm, *geometry.spacing_mm[1:])
        )
    else:
        hu = np.concatenate([hu, _trunk(hu[-1], n_slices - len(hu))])
        geometry = replace(geometry, shape=hu.shape)
    scan = replace(PELVIS, slice_mm=geometry.spacing_mm[0])
    nothing = Mask(np.zeros(hu.shape, np.uint8), geometry)
    return Phantom(PATIENT, scan, CtImage(hu, geometry), nothing, {})


def _trunk(top: npt.NDArray[np.int16], n_slices: int) -> npt.NDArray[np.int16]:
    """Belly and chest in rough: the search for the hips must pass over them."""
    rows, columns = np.nonzero(top > -500)
    y, x = (np.indices(top.shape) - np.array([rows.mean(), columns.mean()])[:, None, None]) * PELVIS.pixel_mm
    body, inner = _within(x, y, (0, 0, 165, 110)), _within(x, y, (0, 0, 145, 90))
    angle = np.arctan2(y, x)
    rim = inner & ~_within(x, y, (0, 0, 137, 82))
    hu = np.full((n_slices, *top.shape), -1000, np.int16)
    noise = np.random.default_rng(7).normal(0, PELVIS.noise_hu, (8, *top.shape)).astype(np.int16)
    for k, image in enumerate(hu):
        z_mm = (k + 1) * PELVIS.slice_mm
        image[body], image[inner] = -105, 45
        image[_within(x, y, (0, 55, 22, 17))] = 220  # vertebrae
        if z_mm > LUNGS_FROM_MM:
            for side in (-1, 1):
                image[_within(x, y, (side * 70, -5, 55, 68))] = -850
            image[rim & (np.sin(8 * angle + z_mm / 9) > 0.6)] = 500  # ribs
        image[body] += noise[k % len(noise)][body]
    return hu


def _within(
    x_mm: npt.NDArray[np.float64], y_mm: npt.NDArray[np.float64], ellipse: Ellipse
) -> npt.NDArray[np.bool_]:
    x0, y0, a, b = ellipse
    return ((x_mm - x0) / a) ** 2 + ((y_mm - y0) / b) ** 2 <= 1


def _compress(plain: Path, folder: Path) -> None:
    """As scanners and archives store JPEG 2000 without loss."""
    for path in sorted(plain.iterdir()):
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(path))
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEG2000Lossless))
        writer.SetFileName(str(folder / path.name))
        is_done = reader.Read()
        change.SetInput(reader.GetImage())
        is_done = is_done and change.Change()
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        if not (is_done and writer.Write()):
            msg = f"not compressed: {path}"
            raise RuntimeError(msg)


def _multiply(one: Path, out: Path, n_studies: int) -> None:
    """Copies of a study's files in which ids and UIDs of the same length stand for the old ones."""
    files = {path.name: path.read_bytes() for path in sorted(one.iterdir())}
    patient = PATIENT.patient_id.encode()
    uids: set[bytes] = set()
    for path in one.iterdir():
        head = dcmread(path, stop_before_pixels=True)
        uids |= {
            str(head[name].value).encode()
            for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
        }
    pattern = re.compile(b"|".join(re.escape(known) for known in (patient, *sorted(uids))))
    for number in range(1, n_studies + 1):
        serial = f"{number:0{SERIAL_DIGITS}d}".encode()
        folder = out / serial.decode()
        folder.mkdir()
        for name, content in files.items():
            renamed = pattern.sub(lambda found, s=serial: found[0][:-SERIAL_DIGITS] + s, content)
            (folder / name).write_bytes(renamed)
