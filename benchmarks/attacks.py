"""What hospitals, archives and other programs do to a series, and whether glutseg sees it.

    python -m benchmarks.attacks CASE DONOR --work DIR [--only NAME ...] [--store]

CASE and DONOR hold dicom/ of two patients, as axial series. Every attack changes CASE in one way, some with
slices of DONOR, and writes DICOM files; `glutseg run` measures them all. An area is compared with that of the
series as it is: an attack that moves it by more than 5 % must be `review` or `failed`, and one that does no
harm should stay as it was. Prints a line for every attack; the exit code is 1 where a wrong area is `ok`.
A patient that the network learnt from is measured with the weights that never saw this one
(`training/folds`). `--store` keeps the lines in benchmarks/results/attacks.json
and writes the table of docs/explanation/wrong-images.md.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from benchmarks.accuracy import unseen_weights
from benchmarks.attack_changes import AS_IT_IS, ATTACKS, Measured, Series
from glutseg.output.documents import Sections, refresh

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "attacks.json"
PAGE = HERE.parent / "docs" / "explanation" / "wrong-images.md"
WRITER = "benchmarks/attacks.py"
WRONG = 0.05
"""An area that differs by more is wrong."""


def read(folder: Path) -> Series:
    headers = sorted(
        (dcmread(file) for file in folder.iterdir()), key=lambda h: float(h.ImagePositionPatient[2])
    )
    hu = [h.pixel_array * float(h.RescaleSlope) + float(h.RescaleIntercept) for h in headers]
    for header in headers:
        del header.PixelData
    return Series(tuple(headers), np.clip(np.rint(hu), -1024, 3071).astype(np.int16))


def write(series: Series, folder: Path, name: str) -> None:
    """As another patient's, whose id is the attack's name."""
    folder.mkdir(parents=True, exist_ok=True)
    study, of_series, frame = (generate_uid(entropy_srcs=[name, kind]) for kind in "abc")
    for index, (header, hu) in enumerate(zip(series.headers, series.hu, strict=True)):
        file = copy.deepcopy(header)
        file.PatientID = file.PatientName = name
        file.StudyInstanceUID, file.SeriesInstanceUID, file.FrameOfReferenceUID = study, of_series, frame
        file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = generate_uid(
            entropy_srcs=[name, str(index)]
        )
        file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        file.InstanceNumber = index + 1
        file.Rows, file.Columns = hu.shape
        file.PixelRepresentation, file.BitsAllocated, file.BitsStored, file.HighBit = 1, 16, 16, 15
        file.RescaleIntercept, file.RescaleSlope = "0", "1"
        if "PixelPaddingValue" in file:
            file["PixelPaddingValue"].VR = "SS"  # as the pixels are signed
        file.PixelData = hu.tobytes()
        file["PixelData"].VR = "OW"
        file.save_as(
            folder / f"{index:04d}.dcm", implicit_vr=False, little_endian=True, enforce_file_format=True
        )


def run(folder: Path, out: Path, weights: Path | None) -> dict[str, dict[str, str]]:
    """The rows of `glutseg run`, by patient."""
    command = [sys.executable, "-m", "glutseg.cli", "run", str(folder), "-o", str(out), "--overwrite"]
    chosen = {"GLUTSEG_WEIGHTS": str(weights)} if weights else {}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | chosen)
    if done.returncode not in (0, 2):
        sys.exit(f"glutseg run ended with {done.returncode}: {done.stderr[-1000:]}")
    with (out / "measurements.csv").open(newline="", encoding="utf-8") as table:
        return {row["patient_id"]: row for row in csv.DictReader(table)}


def mean_area_mm2(row: Mapping[str, str]) -> float | None:
    areas = [row.get(f"area_{side}_mm2") for side in ("left", "right")]
    return None if not all(areas) else float(np.mean([float(a) for a in areas if a]))


def look_at(case: Path, work: Path) -> Measured:
    """Measure a case as it is."""
    series = read(case / "dicom")
    write(series, work / "dicom", case.name)
    row = run(work / "dicom", work / "run", unseen_weights(case))[case.name]
    area_mm2 = mean_area_mm2(row)
    if area_mm2 is None:
        sys.exit(f"{case.name} could not be measured: {row['error']}")
    z_mm = float(row["level_z_mm"])
    mask = sitk.ReadImage(str(work / "run" / row["mask"]))
    x_mm, y_mm, _ = mask.GetOrigin()
    slice_of_mask = mask.TransformPhysicalPointToIndex((x_mm, y_mm, z_mm))[2]
    level = int(np.argmin(np.abs(np.subtract(series.z_mm, z_mm))))
    maximus = np.isin(sitk.GetArrayFromImage(mask)[slice_of_mask], (1, 2))
    return Measured(series, level, maximus, area_mm2)


@dataclass(frozen=True)
class Line:
    """What became of one attack; the change is of the mean area, None where nothing was measured."""

    case: str
    attack: str
    status: str
    change: float | None
    codes: str

    @property
    def is_wrong_but_ok(self) -> bool:
        """Wrong, and `ok`."""
        return self.status == "ok" and self.change is not None and abs(self.change) > WRONG

    def __str__(self) -> str:
        change = "" if self.change is None else f"{self.change:+.1%}"
        mark = "<<<" if self.is_wrong_but_ok else ""
        return f"{self.attack:<40} {self.status:<8} {change:>7} {mark:<3} {self.codes}"


def line_of(case: str, attack: str, row: Mapping[str, str] | None, usual_mm2: float) -> Line:
    if row is None:
        return Line(case, attack, "no study", None, "")
    area_mm2 = mean_area_mm2(row)
    change = None if area_mm2 is None else round(area_mm2 / usual_mm2 - 1, 4)
    return Line(case, attack, row["status"], change, row["error_code"] or row["flags"])


def page_table(lines: Sequence[Line]) -> str:
    """A Markdown row for every attack: status and change of the mean area of every case, what was flagged."""
    cases = list(dict.fromkeys(line.case for line in lines))
    usual = {code for line in lines if line.attack == AS_IT_IS for code in line.codes.split()}
    rows = [f"| what was done | {' | '.join(cases)} | flags and errors |", "|---" * (len(cases) + 2) + "|"]
    for attack in dict.fromkeys(line.attack for line in lines):
        of_cases = {line.case: line for line in lines if line.attack == attack}
        told = {code for line in of_cases.values() for code in line.codes.split()} - usual
        codes = " ".join(f"`{code}`" for code in sorted({code.partition(":")[0] for code in told}))
        rows.append(f"| {attack} | {' | '.join(_cell(of_cases.get(case)) for case in cases)} | {codes} |")
    return "\n".join(rows)


def _cell(line: Line | None) -> str:
    if line is None:
        return ""
    change = "" if line.change is None else f" {line.change:+.0%}".replace("-", "−")
    return f"{line.status}{change}"


def store(lines: Sequence[Line]) -> None:
    """Replace the stored lines of these attacks on these cases, and the page's table."""
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    known = {(line["case"], line["attack"]): Line(**line) for line in stored}
    every = list((known | {(line.case, line.attack): line for line in lines}).values())
    RESULTS.write_text(json.dumps([asdict(line) for line in every], indent=1) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    sections: Sections = {"attacks": lambda: page_table(every)}
    PAGE.write_text(refresh(PAGE.name, text, {PAGE.name: sections}, WRITER), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", type=Path)
    parser.add_argument("donor", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", nargs="*", metavar="NAME", help=f"of: {', '.join(ATTACKS)}")
    parser.add_argument("--store", action="store_true")
    chosen = parser.parse_args()
    scene, donor = (look_at(c, chosen.work / c.name) for c in (chosen.case, chosen.donor))
    names = [name for name in ATTACKS if not chosen.only or name in chosen.only]
    ids = {name: f"{number:02d}" for number, name in enumerate(ATTACKS)}
    folder = chosen.work / f"{chosen.case.name}-attacked"
    for name in names:
        write(ATTACKS[name](scene, donor), folder / ids[name], f"A{ids[name]}")
    rows = run(folder, chosen.work / f"{chosen.case.name}-run", unseen_weights(chosen.case))
    lines = [line_of(chosen.case.name, n, rows.get(f"A{ids[n]}"), scene.mean_area_mm2) for n in names]
    print(*lines, sep="\n")
    unnoticed = sum(line.is_wrong_but_ok for line in lines)
    print(f"{len(lines)} attacks on {chosen.case.name}: {unnoticed} wrong areas say ok")
    if chosen.store:
        store(lines)
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
