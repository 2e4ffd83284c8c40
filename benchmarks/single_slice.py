"""What a single slice loses against its series: Dice and area error at the level and up to 30 mm from it.

    python benchmarks/single_slice.py [--cases DIR ...] [--offsets MM ...] [--store]

Every slice is measured twice by the weights that never saw its patient (`training/folds`): in its series,
and alone, as `--level given` does. Truth is the label map beside the series. `--store` writes the rows to
benchmarks/results/single_slice.json; the summary says how far areas of single slices are off, which is why
they carry no error bound.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from benchmarks.accuracy import HERE, SHARED, unseen_weights
from glutseg import dicom
from glutseg.anatomy import Anatomy, find_anatomy_on_slice
from glutseg.case import locate
from glutseg.errors import GlutsegError
from glutseg.image import LABELS, CtImage, Mask, Side
from glutseg.protocol import load_protocol
from glutseg.segmentation.agreement import dice
from glutseg.segmentation.gluteus import segment
from glutseg.segmentation.network import Network, chosen_weights
from glutseg.segmentation.single_slice import segment_slice

STORED = HERE / "results" / "single_slice.json"
OFFSETS_MM = (0.0, -10.0, 10.0, -20.0, 20.0, -30.0, 30.0)


@dataclass(frozen=True)
class Row:
    """One side of one slice; ``dice_alone`` is 0 and its error None where the slice was refused."""

    case: str
    offset_mm: float
    side: Side
    dice_in_series: float
    error_in_series_percent: float
    dice_alone: float
    error_alone_percent: float | None


def rows_of(case: Path, offsets_mm: list[float]) -> Iterator[Row]:
    """Both sides of the slices at some distances from the level of one case."""
    network = Network(unseen_weights(case) or chosen_weights())
    rule = load_protocol()
    (study,) = dicom.scan(case / "dicom").studies
    image = dicom.read(dicom.choose(study, rule.series).candidates[0])
    truth = Mask.from_sitk(sitk.ReadImage(str(case / "truth.nii.gz")))
    anatomy, level = locate(image, rule.level)
    if anatomy is None:
        return
    for offset_mm in offsets_mm:
        k = level.slice_index + round(offset_mm / image.geometry.slice_step_mm)
        if not 0 <= k < image.geometry.shape[0]:
            continue
        in_series = segment(
            image, anatomy, image.geometry.slices_around(k, 15.0), network=network, slice_index=k
        ).mask.labels[k]
        alone = _alone(image, k, network)
        for side, label in LABELS["maximus"].items():
            true = truth.labels[k] == label
            yield Row(
                case.name,
                offset_mm,
                side,
                dice(in_series == label, true),
                _error_percent(in_series == label, true),
                0.0 if alone is None else dice(alone == label, true),
                None if alone is None else _error_percent(alone == label, true),
            )


def _alone(image: CtImage, k: int, network: Network) -> np.ndarray | None:
    """Labels of a slice that is measured alone; None where it is refused."""
    one = CtImage(
        image.hu[k : k + 1].copy(), image.geometry.crop((slice(k, k + 1), slice(None), slice(None)))
    )
    try:
        anatomy: Anatomy = find_anatomy_on_slice(one)
        return segment_slice(one, anatomy, network=network).mask.labels[0]
    except GlutsegError as error:
        print(f"slice {k} refused: {error.code}: {error.message}")
        return None


def _error_percent(found: np.ndarray, true: np.ndarray) -> float:
    return 100 * (np.count_nonzero(found) / max(1, np.count_nonzero(true)) - 1)


def summary(rows: list[Row]) -> list[str]:
    """Per distance from the level: medians and largest errors."""
    lines = [
        "| from the level | sides | Dice in series | Dice alone | area error in series | alone |",
        "|---|---|---|---|---|---|",
    ]
    for offset_mm in sorted({row.offset_mm for row in rows}):
        own = [row for row in rows if row.offset_mm == offset_mm]
        errors = [abs(row.error_in_series_percent) for row in own]
        alone = [abs(row.error_alone_percent) for row in own if row.error_alone_percent is not None]
        lines.append(
            f"| {offset_mm:+.0f} mm | {len(own)} | {np.median([r.dice_in_series for r in own]):.3f} "
            f"| {np.median([r.dice_alone for r in own]):.3f} | {_spread(errors)} | {_spread(alone)} |"
        )
    return lines


def _spread(errors: list[float]) -> str:
    return f"{np.median(errors):.1f} % (largest {max(errors):.1f} %)" if errors else "refused"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=Path, nargs="+", default=[SHARED / "cases"], metavar="DIR")
    parser.add_argument("--offsets", type=float, nargs="+", default=list(OFFSETS_MM), metavar="MM")
    parser.add_argument("--store", action="store_true", help="write the table")
    chosen = parser.parse_args()
    rows: list[Row] = []
    for folder in chosen.cases:
        for case in sorted(file.parent for file in folder.glob("*/truth.nii.gz")):
            for row in rows_of(case, chosen.offsets):
                rows.append(row)
                print(row, flush=True)
    print("\n".join(summary(rows)))
    if chosen.store:
        STORED.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
