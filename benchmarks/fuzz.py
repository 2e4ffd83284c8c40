"""Broken DICOM files by the thousand: nice python benchmarks/fuzz.py [--cases N] [--seed S] [--jobs J]

Each case is a series of a phantom in which one file was mutated: bytes flipped, cut off, values, VRs
and lengths replaced, pieces spliced. It goes through scan and read (one in ``MEASURED_SHARE`` through the
whole measurement) in a process of its own with a limit on memory and time. Counted are

- crashes: an exception that is no `GlutsegError`, or a dead process; hangs: more than 5 seconds;
- false ok: a volume that differs from the unbroken one, with no flag or problem, though another reader
  (SimpleITK, or pydicom's own where SimpleITK refuses) does not read the mutated file like this. Where it
  does, the file itself says so (a flipped bit of an uncompressed pixel cannot be known): ``says so``.

The same seed gives the same cases. Exit code 1 when there is a crash, a hang or a false ok.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from glutseg import dicom
from glutseg.case import measure_study
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.errors import GlutsegError
from glutseg.image import CtImage
from glutseg.protocol import load_protocol
from isolated import Row, run_seeds
from mutations import BASES, mutate, write_bases

HANG_SECONDS = 5.0
MEASURED_SHARE = 100


def load(folder: Path) -> tuple[dicom.Index, CtImage | None]:
    """The index, and the series where there is one that can be read."""
    index = dicom.scan(folder)
    series = [s for study in index.studies for s in study.series if s.geometry is not None]
    try:
        return index, dicom.read(max(series, key=lambda s: len(s.slices))) if series else None
    except GlutsegError:
        return index, None


def is_flagged(index: dicom.Index, loaded: CtImage) -> bool:
    others = len(index.studies) + sum(len(study.series) for study in index.studies) > 2
    return bool(index.problems or loaded.flags or others or index.n_other_files)


def is_same(a: CtImage, b: CtImage) -> bool:
    return a.stored.matches(b.stored) and np.array_equal(a.hu, b.hu)


def file_says_so(path: Path, loaded: CtImage, index: dicom.Index) -> bool:
    """Whether another reader reads the mutated file as we do, at the place where we have it."""
    grid_indices = [
        grid_index
        for study in index.studies
        for series in study.series
        for grid_index, header in zip(series.grid_indices, series.slices, strict=True)
        if header.source.path == path
    ]
    if len(grid_indices) != 1:
        return False
    content = path.read_bytes()
    if content[128:132] != b"DICM":  # the one thing that we read and SimpleITK does not
        path.write_bytes(bytes(128) + b"DICM" + content)
    try:
        theirs, spacing, origin = _by_sitk(path)
    except RuntimeError:
        theirs, spacing, origin = _by_plain_pydicom(path)
    ours, grid = loaded.stored_hu()[grid_indices[0]], loaded.stored
    if theirs.shape != ours.shape:
        return False
    return bool(
        np.abs(np.clip(np.rint(theirs), -1024, 32767) - ours).max() <= 1
        and np.allclose(spacing, grid.spacing_mm[:0:-1], rtol=2e-3)
        and np.allclose(origin, grid.point_mm(grid_indices[0], 0, 0), atol=0.5)
    )


Reading = tuple[np.ndarray, tuple[float, ...], tuple[float, ...]]


def _by_sitk(path: Path) -> Reading:
    image = sitk.ReadImage(str(path))
    return sitk.GetArrayFromImage(image)[0].astype(float), image.GetSpacing()[:2], image.GetOrigin()


def _by_plain_pydicom(path: Path) -> Reading:
    """Pixels in a codestream are decoded, though the file says they are plain."""
    ds = pydicom.dcmread(path, force=True)
    if ds["PixelData"].is_undefined_length and not ds.file_meta.TransferSyntaxUID.is_compressed:
        for syntax in (JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1, RLELossless):
            ds.file_meta.TransferSyntaxUID = syntax
            with suppress(Exception):
                return _values_of(ds)
    return _values_of(ds)


def _values_of(ds: pydicom.Dataset) -> Reading:
    hu = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    return hu, tuple(map(float, ds.PixelSpacing[::-1])), tuple(map(float, ds.ImagePositionPatient))


def run_case(seed: int, bases: Path, work: Path, plain: dict[str, CtImage]) -> tuple[str, str, float]:
    """(what was done, how it ended, in how many seconds of ours) for one seed."""
    rng = random.Random(seed)
    is_measured = seed % MEASURED_SHARE == 0
    base = f"{'measured' if is_measured else 'small'} {rng.choice(list(BASES))}"
    folder = work / "case"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(bases / base, folder, copy_function=os.link)
    victim = rng.choice(sorted(folder.iterdir()))
    kind, content = mutate(victim.read_bytes(), rng)
    victim.unlink()
    victim.write_bytes(content)
    what = f"{base}: {kind}"
    start = time.perf_counter()
    index, loaded = load(folder)
    seconds = time.perf_counter() - start
    if is_measured:
        for study in index.studies:
            case = measure_study(study, load_protocol())
            if case.result.error_code == "internal-error":
                return what, "crash: " + case.result.error_message, seconds
    if loaded is None:
        return what, "refused", seconds
    if is_flagged(index, loaded):
        return what, "flagged", seconds
    if is_same(loaded, plain[base]):
        return what, "same", seconds
    with quiet_pydicom():
        try:
            says_so = file_says_so(victim, loaded, index)
        except Exception:  # noqa: BLE001 - the other reader may fail in any way
            says_so = False
    return what, "says so" if says_so else "false ok", seconds


def _prepare(bases: Path, work: Path) -> Callable[[int], Row]:
    plain = {folder.name: load(folder)[1] for folder in bases.iterdir()}
    return lambda seed: run_case(seed, bases, work, plain)  # type: ignore[arg-type]


def _share(arguments: tuple[Path, Path, range]) -> list[tuple[int, str, str, float]]:
    bases, work, seeds = arguments
    work.mkdir()
    return list(run_seeds(partial(_prepare, bases, work), seeds))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write all that is not harmless as JSON")
    options = parser.parse_args()
    from concurrent.futures import ThreadPoolExecutor

    seeds = range(options.seed, options.seed + options.cases)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        bases = Path(folder, "bases")
        write_bases(bases)
        shares = [(bases, Path(folder, f"work-{k}"), seeds[k :: options.jobs]) for k in range(options.jobs)]
        results: list[Any] = [r for share in pool.map(_share, shares) for r in share]
    ends = Counter("hang" if r[3] > HANG_SECONDS else r[2].split(":")[0] for r in results)
    bad = [r for r in results if r[3] > HANG_SECONDS or r[2].split(":")[0] in ("crash", "hang", "false ok")]
    print(f"{len(results)} files in {time.perf_counter() - start:.0f} s: ", end="")
    print(", ".join(f"{n} {end}" for end, n in ends.most_common()))
    print(f"slowest {max(r[3] for r in results):.2f} s")
    for row in sorted(bad)[:50]:
        print(*row)
    if options.out:
        says_so = [r for r in results if r[2] == "says so"]
        options.out.write_text(
            json.dumps({"bad": bad, "says so": says_so}, indent=1) + "\n", encoding="utf-8"
        )
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
