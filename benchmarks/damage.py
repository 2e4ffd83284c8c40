"""Files that were put together wrongly: python benchmarks/damage.py [--cases N] [--seed S] [--store]

Where `fuzz.py` changes bytes, this changes what a file is made of (`damage_dicom`, `damage_files`): elements,
numbers in odd forms, lengths, syntaxes and codestreams of DICOM images, segmentations and contours, headers
of NIfTI, NRRD and MHA, records, tables, archives. Each case goes through the door that a user has for it.
Counted are

- crashes: an exception that is no `GlutsegError`, or a dead process; hangs: more than 5 seconds of computing;
  memory: more than 2 GB above what the process needs by itself;
- false ok: other voxels, places, labels, heights or areas than those of the right file, without an error, a
  flag or a problem, though another reader does not read the damaged file like this. Where it does, the file
  says so without a contradiction, as with a flipped bit of a plain pixel: ``says so``.

The same seed gives the same cases. Exit code 1 when there is any of them.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk

import fuzz
from damage_dicom import DAMAGES, joined, taken_apart
from damage_files import CHANGES, write_files
from glutseg import dicom
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.text import clean_text
from glutseg.errors import GlutsegError
from glutseg.exchange.measure_mask import Loaded, load_series, placed_mask
from glutseg.image import CtImage
from glutseg.measurement import read_participants
from glutseg.output.layout import RUN_JSON
from glutseg.report import write_report
from glutseg.review import final_rows
from isolated import Row, peak_bytes, run_seeds
from measuring import machine
from mutations import write_bases

HANG_SECONDS = 5.0
MEMORY_BYTES = 2 * 2**30
BASES = ("explicit", "rle", "jpeg-ls", "jpeg lossless", "jpeg 2000")
SHARES = {
    "image": 52, "series": 6, "mask.seg.dcm": 7, "mask.rtstruct.dcm": 7, "ct.nii.gz": 6, "mask.nii.gz": 5,
    "mask.seg.nrrd": 3, "plain.nrrd": 3, "mask.mha": 3, "series.zip": 3, "table.csv": 3,
    "case.json": 1, "run.json": 1,
}  # fmt: skip
"""Per cent of the cases; ``series`` has the same damage in each of its files."""
RESULTS = Path(__file__).parent / "results" / "damage.json"


class Doors:
    """The right files and what they give; a case is a damaged copy of one of them."""

    def __init__(self, root: Path, work: Path) -> None:
        self.bases, self.files, self.work = root / "bases", root / "files", work
        self.images = {name: fuzz.load(self.bases / f"small {name}")[1] for name in BASES}
        self.strangers = [
            path for folder in sorted(self.bases.iterdir()) for path in sorted(folder.iterdir())[:3]
            if folder.name.split(" ", 1)[1] in BASES
        ]  # fmt: skip
        self.loaded: Loaded = load_series(dicom.scan(self.bases / "small explicit"))
        self.labels = {
            name: placed_mask(self.loaded, self.files / name)
            for name in SHARES
            if name.startswith(("mask", "plain"))
        }
        self.ct = fuzz.load(self._alone("ct.nii.gz"))[1]
        self.heights = self._heights(self.files / "table.csv")
        self.rows = [row.result for row in final_rows(self.files / "out")]

    def run(self, seed: int) -> Row:
        """What was done, how it ended, and in how many seconds of computing."""
        rng = random.Random(f"damage {seed}")
        kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        if kind in ("image", "series"):
            return self._image(kind, rng)
        if kind.endswith(".json"):
            return self._record(kind, rng)
        path = self.work / kind
        content = (self.files / kind).read_bytes()
        if kind.endswith(".dcm"):
            how, changed = self._damaged(content, rng)
        else:
            change = rng.choice(CHANGES[kind])
            how, changed = change.__name__, change(content, rng)
        path.write_bytes(changed)
        door = self._mask if kind in self.labels else self._table if kind == "table.csv" else self._volume
        start = time.process_time()
        end, judge = door(path)
        seconds = time.process_time() - start
        return f"{kind}: {how}", _judged(end, judge), seconds

    def _alone(self, name: str) -> Path:
        folder = self.work / "alone"
        folder.mkdir(parents=True)
        shutil.copy(self.files / name, folder)
        return folder

    def _damaged(self, content: bytes, rng: random.Random) -> tuple[str, bytes]:
        other = taken_apart(rng.choice(self.strangers).read_bytes())
        parts = taken_apart(content)
        damages = [rng.choice(DAMAGES) for _ in range(rng.choice([1, 1, 1, 2]))]
        for damage in damages:
            if parts:
                damage(parts, other, rng)
        return " + ".join(damage.__name__ for damage in damages), joined(parts)

    def _image(self, kind: str, rng: random.Random) -> Row:
        base = rng.choice(BASES)
        files = sorted((self.bases / f"small {base}").iterdir())
        victims = files if kind == "series" else [rng.choice(files)]
        state, how = rng.getstate(), ""
        for path in files:
            if path in victims:
                rng.setstate(state)
                how, changed = self._damaged(path.read_bytes(), rng)
                (self.work / path.name).write_bytes(changed)
            else:
                os.link(path, self.work / path.name)
        start = time.process_time()
        index, loaded = fuzz.load(self.work)
        seconds = time.process_time() - start
        plain = self.images[base]
        end = _end_of(index, loaded, plain)
        judge = partial(_files_say_so, [self.work / path.name for path in victims], loaded, index)
        return f"{kind} {base}: {how}", _judged(end, judge), seconds

    def _volume(self, path: Path) -> tuple[str, Callable[[], bool]]:
        index, loaded = fuzz.load(path.parent)
        is_zip = path.suffix == ".zip"
        end = _end_of(index, loaded, self.images["explicit"] if is_zip else self.ct)
        return (
            end,
            lambda: not is_zip and loaded is not None and _reads_like(path, loaded.stored_hu(), loaded),
        )

    def _mask(self, path: Path) -> tuple[str, Callable[[], bool]]:
        right, right_flags = self.labels[path.name]
        try:
            mask, flags = placed_mask(self.loaded, path)
        except GlutsegError:
            return "refused", bool
        if {f.code for f in flags} - {f.code for f in right_flags}:
            return "flagged", bool
        if np.array_equal(mask.labels, right.labels):
            return "same", bool
        if path.suffix == ".dcm":
            return "differs", lambda: _plain_content(path) != _plain_content(self.files / path.name)
        return "differs", lambda: _reads_like(path, mask.stored_labels(), self.loaded.image)

    def _heights(self, path: Path) -> dict[str, float | None]:
        return {key: row.height_m for key, row in read_participants(path).rows.items()}

    def _table(self, path: Path) -> tuple[str, Callable[[], bool]]:
        try:
            found = self._heights(path)
        except GlutsegError:
            return "refused", bool
        others = {k: v for k, v in found.items() if v is not None and self.heights.get(k) != v}
        return "differs" if others else "same", lambda: _cells_say_so(path, others)

    def _record(self, kind: str, rng: random.Random) -> Row:
        out = self.work / "out"
        shutil.copytree(self.files / "out", out)
        path = out / RUN_JSON if kind == RUN_JSON else next(out.rglob(kind))
        change = rng.choice(CHANGES[kind])
        before = path.read_bytes()
        path.write_bytes(change(before, rng))
        start = time.process_time()
        try:
            results = [row.result for row in final_rows(out)]
            write_report(out)
            states = [result.status for result in results] != [result.status for result in self.rows]
            end = "flagged" if states else "same" if results == self.rows else "differs"
        except GlutsegError:
            end = "refused"
        seconds = time.process_time() - start
        return (
            f"{kind}: {change.__name__}",
            _judged(end, lambda: json.loads(path.read_bytes()) != json.loads(before)),
            seconds,
        )


def _end_of(index: dicom.Index, loaded: CtImage | None, plain: CtImage | None) -> str:
    """``flagged`` for what the right file has no flag of as well."""
    if loaded is None or plain is None:
        return "refused"
    known = {flag.code for flag in plain.flags}
    flags = [*loaded.flags, *(flag for study in index.studies for flag in study.flags)]
    others = len(index.studies) + sum(len(study.series) for study in index.studies) > 2
    if index.problems or index.n_other_files or others or {flag.code for flag in flags} - known:
        return "flagged"
    return "same" if fuzz.is_same(loaded, plain) else "differs"


def _judged(end: str, judge: Callable[[], bool]) -> str:
    if end != "differs":
        return end
    with quiet_pydicom():
        try:
            return "says so" if judge() else "false ok"
        except Exception:  # noqa: BLE001 - the other reader may fail in any way
            return "false ok"


# other readers


def _files_say_so(paths: list[Path], loaded: CtImage | None, index: dicom.Index) -> bool:
    return loaded is not None and all(fuzz.file_says_so(path, loaded, index) for path in paths)


def _reads_like(path: Path, stored: np.ndarray, image: CtImage) -> bool:
    """Whether SimpleITK puts the same values at the same places, on the grid of an image in stored order."""
    theirs = sitk.Resample(
        sitk.ReadImage(str(path)),
        image.to_sitk(),
        sitk.Transform(),
        sitk.sitkNearestNeighbor,
        0.0,
        sitk.sitkFloat64,
    )
    values = np.clip(sitk.GetArrayFromImage(theirs), -1024, 32767)  # as ours are
    return bool((np.abs(values - stored) > 1).mean() < 1e-3)


def _plain_content(path: Path) -> tuple[str, str]:
    """What pydicom reads in a segmentation or contours besides numbers and dates of the file."""
    dataset = pydicom.dcmread(path, force=True)
    return str(dataset), "" if "PixelData" not in dataset else dataset.pixel_array.tobytes().hex()


def _cells_say_so(path: Path, heights: Mapping[str, float]) -> bool:
    """Whether each of the heights stands beside its patient, as a plain reader of CSV sees them."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeError:
        text = content.decode("cp1252")
    rows = [row for mark in ";," for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark)]
    rows = [[clean_text(cell) for cell in row] for row in rows]
    return all(
        any(key in row and f"{height:g}".replace(".", ",") in ",".join(row) for row in rows)
        for key, height in heights.items()
    )


# the count


def _prepare(root: Path, work: Path) -> Callable[[int], Row]:
    doors = Doors(root, work)
    most = peak_bytes() + MEMORY_BYTES

    def run_case(seed: int) -> Row:
        what, end, seconds = doors.run(seed)
        if peak_bytes() > most:  # it never sinks again: the next case gets a new process
            return "", f"memory: {peak_bytes() / 2**30:.1f} GB, {what}", seconds
        return what, "hang: of computing" if seconds > HANG_SECONDS else end, seconds

    return run_case


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--store", action="store_true", help=f"keep the result in {RESULTS.name}")
    options = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_bases(root / "bases")
        write_files(root / "bases" / "small explicit", root / "files")
        seeds = range(options.seed, options.seed + options.cases)
        results = []
        for row in run_seeds(partial(_prepare, root, root / "work"), seeds):
            results.append(row)
            if _is_bad(row):
                print(*row, flush=True)
    bad = [row for row in results if _is_bad(row)]
    found: dict[str, Any] = {
        "machine": machine(),
        "files": len(results),
        "first_seed": options.seed,
        "seconds": round(time.perf_counter() - start),
        "slowest_s": round(max(r[3] for r in results), 2),
        "ends": dict(Counter(r[2].split(":")[0] for r in results).most_common()),
        "by_kind": _by_kind(results),
        "bad": [f"seed {seed}: {end} ({what})" for seed, what, end, _ in bad],
    }
    print(json.dumps({k: v for k, v in found.items() if k not in ("machine", "bad")}, indent=1))
    if options.store:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(bool(bad))


def _is_bad(row: tuple[int, str, str, float]) -> bool:
    return row[2].split(":")[0] in ("crash", "hang", "memory", "false ok")


def _by_kind(results: list[tuple[int, str, str, float]]) -> dict[str, dict[str, int]]:
    """How often each file ended how."""
    counts: dict[str, Counter[str]] = {}
    for _, what, end, _ in results:
        counts.setdefault(what.split(":")[0], Counter())[end.split(":")[0]] += 1
    return {kind: dict(count.most_common()) for kind, count in sorted(counts.items())}


if __name__ == "__main__":
    sys.exit(main())
