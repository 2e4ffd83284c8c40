"""The expected error of an area: measure what outlines tell where the truth is known, and fit the model.

    python benchmarks/error_model.py render SIMULATOR OUT [--bodies N]
    python benchmarks/error_model.py measure CASES --patient NAME --weights FILE [--only CASE ...]
    python benchmarks/error_model.py fit

`measure` outlines the muscles of every case (a folder with truth.nii.gz beside dicom/ or image.nii.gz), as it
is and changed as hospitals change images, with weights that never saw NAME, the patient whose anatomy it is.
It writes benchmarks/results/error_model.csv, one row per image, muscle and side; rows of the same image are
replaced. `fit` reads only that file, prints how well held-out patients are foretold, and writes the
coefficients that come with glutseg and the tables of docs/explanation/accuracy.md. Cases are stressed copies
of few bodies, so whatever is counted is
counted over bodies that the fit did not see.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from changes import CHANGES, LabelArray, Scan, Spacing
from error_fit import JUDGEMENTS, calibrate, calibration_table, coefficients, of_muscle, terms_table
from glutseg.anatomy import Anatomy
from glutseg.anatomy.hips import Hips
from glutseg.anatomy.sphere import Sphere
from glutseg.errors import GlutsegError
from glutseg.geometry import Geometry
from glutseg.image import LABELS, CtImage, Muscle, Side
from glutseg.output.documents import refresh
from glutseg.quality.error_model import COEFFICIENTS_FILE
from glutseg.segmentation.agreement import dice
from glutseg.segmentation.evidence import Evidence
from glutseg.segmentation.gluteus import ALL_MUSCLES, segment
from glutseg.segmentation.network import Network

HERE = Path(__file__).resolve().parent
STORED = HERE / "results" / "error_model.csv"
COEFFICIENTS = HERE.parent / "src" / "glutseg" / "quality" / COEFFICIENTS_FILE
DOCUMENT = HERE.parent / "docs" / "explanation" / "accuracy.md"
WRITER = "benchmarks/error_model.py"
FEMUR = 7
TRUTH: dict[tuple[Muscle, Side], int] = {
    ("maximus", "left"): 1,
    ("maximus", "right"): 2,
    **{("medius", side): 3 for side in ("left", "right")},
    **{("minimus", side): 4 for side in ("left", "right")},
}
BELOW_MM, ABOVE_MM = 105.0, 75.0
"""Of the femoral heads' tops: all that the network sees, and more."""
HEAD_RADIUS_MM = 23.0
HIPS_SD_MM, LEVEL_SD_MM = 2.5, 3.0
"""How far off hips and level are found, about."""
LEAST_TRUE_MM2 = 150.0
"""Below, as at the lower end of gluteus minimus, an error in percent means nothing."""


def recipe(n: int) -> dict[str, Any]:
    """Arguments of the simulator for one body: everything at random, by its number."""
    rng = np.random.default_rng(9000 + n)
    u = rng.uniform
    return {
        "seed": 7000 + n,
        "pixel": round(u(0.9, 1.25), 2),
        "slice": float(rng.choice([2, 2.5, 3, 3, 4, 5])),
        "muscle_hu": round(u(38, 65)),
        "muscle_fat": round(max(0.0, u(-0.08, 0.5)), 2),
        "plane_mm": round(u(0.5, 1.8), 2),
        "plane_gaps": round(u(0.1, 0.5), 2),
        "noise": round(np.exp(u(np.log(6), np.log(45)))),
        "streak": round(u(4, 18)),
        "blur": round(u(0.5, 1.5), 2),
        "contrast": float(rng.choice([0, 0, 60, 90])),
        "implant": str(rng.choice(["", "", "", "left", "right"])),
        "dx": round(u(-20, 20)),
        "roll": round(rng.normal(0, 5)),
        "warp": round(u(2, 9), 1),
        "scale": round(u(0.9, 1.12), 2),
        "mirror": bool(rng.random() < 0.5),
    }


PATIENTS = ("Pelvic-Ref-001", "Pelvic-Ref-004")
"""Of the simulator; even numbers are bodies of the first."""


def render(simulator: Path, out: Path, n_bodies: int) -> None:
    """Bodies that are there already are kept; they lie in folders by patient."""
    for n in range(n_bodies):
        patient = PATIENTS[n % 2]
        folder = out / patient[-3:]
        if (folder / f"e{n:02d}" / "truth.nii.gz").is_file():
            continue
        labels = simulator / "labels" / patient
        command = [sys.executable, str(simulator / "simulate.py"), str(labels / "label.mhd")]
        command += [str(labels / "mask.mhd"), str(folder), "--case", f"e{n:02d}"]
        for name, value in recipe(n).items():
            command += [f"--{name}"] if value is True else [f"--{name}={value}"] if value != "" else []
        subprocess.run([word for word in command if not word.endswith("=False")], check=True)


def load(case: Path) -> Scan:
    """The part of a case around the hips."""
    import SimpleITK as sitk

    image_file = case / "image.nii.gz"
    if image_file.is_file():
        image = sitk.ReadImage(str(image_file))
    else:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(case / "dicom")))
        image = reader.Execute()
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(case / "truth.nii.gz")))
    if not np.allclose(image.GetDirection(), np.eye(3).ravel()):
        msg = f"{case}: only axial head-first supine series"
        raise ValueError(msg)
    dx, dy, dz = image.GetSpacing()
    top = int(np.flatnonzero((truth == FEMUR).any((1, 2))).max())
    part = slice(max(0, int(top - BELOW_MM / dz)), int(top + ABOVE_MM / dz))
    return sitk.GetArrayFromImage(image)[part].astype(np.float32), truth[part], (dz, dy, dx)


def find_hips(truth: LabelArray, spacing: Spacing, rng: np.random.Generator) -> tuple[Hips, float]:
    """The true femoral heads, moved as if they had been found, and the column of the midline."""
    midline = float(np.mean([np.nonzero(truth == label)[2].mean() for label in (1, 2)]))
    heads = {}
    for side in ("left", "right"):
        z, y, x = np.nonzero(truth == FEMUR)
        on_side = (x > midline) == (side == "left")
        z, y, x = z[on_side], y[on_side], x[on_side]
        cap = z > z.max() - 12 / spacing[0]
        centre = (
            x[cap].mean() * spacing[2],
            y[cap].mean() * spacing[1],
            z.max() * spacing[0] - HEAD_RADIUS_MM,
        )
        moved = np.array(centre) + rng.normal(0, HIPS_SD_MM, 3)
        heads[side] = Sphere((float(moved[0]), float(moved[1]), float(moved[2])), HEAD_RADIUS_MM, 1.0)
    return Hips(heads["left"], heads["right"], 1.0), midline


def rows_of(scan: Scan, network: Network, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """The evidence about every muscle and side, and how far its area and outline are off."""
    hu, truth, spacing = scan
    image = CtImage(
        np.clip(np.round(hu), -1024, 3071).astype(np.int16),
        Geometry((hu.shape[0], hu.shape[1], hu.shape[2]), spacing),
    )
    hips, midline = find_hips(truth, spacing, rng)
    level = (hips.top_mm + rng.normal(0, LEVEL_SD_MM)) / spacing[0]
    measured = int(np.clip(round(level), 1, hu.shape[0] - 2))
    outlines = segment(
        image,
        Anatomy(image, hips),
        range(measured, measured + 1),
        network=network,
        slice_index=measured,
        muscles=ALL_MUSCLES,
    )
    columns = np.arange(hu.shape[2])
    for (muscle, side), known in outlines.quality.items():
        own = outlines.mask.labels[measured] == LABELS[muscle][side]
        true = (truth[measured] == TRUTH[muscle, side]) & ((columns > midline) == (side == "left"))
        true_mm2 = np.count_nonzero(true) * spacing[1] * spacing[2]
        if known.evidence is None or true_mm2 < LEAST_TRUE_MM2:
            continue
        yield {
            "side": side,
            **asdict(known.evidence),
            "true_mm2": true_mm2,
            "dice": dice(own, true),
            "area_error": np.count_nonzero(own) / np.count_nonzero(true) - 1,
        }


def measure(case: Path, patient: str, network: Network, n_changes: int) -> Iterator[dict[str, Any]]:
    """Rows of a case as it is and with so many changes; which ones its name decides."""
    scan = load(case)
    number = int.from_bytes(hashlib.sha256(case.name.encode()).digest()[:4], "big")
    names = ["as it is"]
    names += [list(CHANGES)[(number + i) % len(CHANGES)] for i in range(min(n_changes, len(CHANGES)))]
    for name in names:
        seed = number + (list(CHANGES).index(name) + 1 if name in CHANGES else 0)
        changed = CHANGES[name](scan, seed) if name in CHANGES else scan
        try:
            for row in rows_of(changed, network, np.random.default_rng(seed)):
                yield {"body": case.name, "patient": patient, "change": name, **row}
        except GlutsegError as error:  # nothing is measured, so no area needs an error
            print(f"{case.name}, {name}: {error}")


def read() -> list[dict[str, str]]:
    """The stored rows."""
    if not STORED.is_file():
        return []
    with STORED.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


COLUMNS = (
    *("body", "patient", "change", "muscle", "side"),
    *(f.name for f in fields(Evidence) if f.name != "muscle"),
    *("true_mm2", "dice", "area_error"),
)


def store(rows: list[dict[str, Any]]) -> None:
    """Replace the rows of the same images; others stay."""
    new = {(row["body"], row["change"]) for row in rows}
    kept = [row for row in read() if (row["body"], row["change"]) not in new]
    shown = [
        {key: f"{value:.5g}" if isinstance(value, float) else value for key, value in row.items()}
        for row in rows
    ]
    merged = sorted(
        [*kept, *shown], key=lambda r: (r["patient"], r["body"], r["change"], r["muscle"], r["side"])
    )
    scratch = STORED.with_suffix(".tmp")
    with scratch.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(merged)
    scratch.replace(STORED)


def coefficients_of_stored() -> dict[str, Any]:
    """What stands in the package's file, with the table that it comes from."""
    provenance = {
        "source": "python benchmarks/error_model.py fit, from benchmarks/results/error_model.csv",
        "csv_sha256": hashlib.sha256(STORED.read_bytes()).hexdigest(),
    }
    return provenance | coefficients(read())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    rendering = commands.add_parser("render")
    rendering.add_argument("simulator", type=Path)
    rendering.add_argument("out", type=Path)
    rendering.add_argument("--bodies", type=int, default=18, metavar="N")
    measuring = commands.add_parser("measure")
    measuring.add_argument("cases", type=Path)
    measuring.add_argument("--patient", required=True)
    measuring.add_argument("--weights", type=Path, required=True, help="that never saw the patient")
    measuring.add_argument("--only", nargs="+", metavar="CASE")
    measuring.add_argument("--changes", type=int, default=3, metavar="N")
    fitting = commands.add_parser("fit")
    fitting.add_argument("--check", action="store_true", help="write nothing")
    chosen = parser.parse_args()
    if chosen.command == "render":
        render(chosen.simulator, chosen.out, chosen.bodies)
    elif chosen.command == "measure":
        network = Network(chosen.weights)
        for case in sorted(file.parent for file in chosen.cases.glob("*/truth.nii.gz")):
            if chosen.only is None or case.name in chosen.only:
                store(list(measure(case, chosen.patient, network, chosen.changes)))
    else:
        rows = read()
        found = {m: calibrate(of_muscle(rows, m), JUDGEMENTS[m]) for m in ALL_MUSCLES}
        fitted = coefficients_of_stored()
        print(calibration_table(found))
        if not chosen.check:
            COEFFICIENTS.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")
            sections = {
                "calibration": lambda: calibration_table(found),
                "terms": lambda: terms_table(fitted),
            }
            text = DOCUMENT.read_text(encoding="utf-8")
            text = refresh(DOCUMENT.name, text, {DOCUMENT.name: sections}, WRITER)
            DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
