"""A run of two small studies, measured by stand-ins, with what a reviewer needs to look at them."""

import csv
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from glutseg import batch, dicom
from glutseg.image import CtImage, Mask
from glutseg.output.ledger import read_case
from glutseg.protocol import Protocol, load_protocol
from glutseg.result import CaseResult
from glutseg.review import final_rows, read_mask

PROTOCOL = load_protocol()


@dataclass(frozen=True)
class Run:
    """An output folder and its input."""

    out: Path
    index: dicom.Index
    names: tuple[str, ...]
    protocol: Protocol = PROTOCOL

    def table(self, name: str = "measurements.csv") -> list[dict[str, str]]:
        with (self.out / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def row(self, case_id: str) -> dict[str, str]:
        return next(row for row in self.table() if row["case_id"] == case_id)

    def result(self, case_id: str) -> CaseResult:
        return read_case(self.out, case_id).row.result

    def image(self, case_id: str) -> CtImage:
        uid = self.result(case_id).series.series_uid
        return dicom.read(
            next(s for study in self.index.studies for s in study.series if s.series_uid == uid)
        )

    def mask(self, case_id: str) -> Mask:
        stored = self.image(case_id).stored
        return read_mask(self.out / f"cases/{case_id}/mask.nii.gz", stored)

    def painted(self, case_id: str, side: str = "left", n_pixels: int = 3) -> Mask:
        """The automatic mask with some more pixels on the measured slice, beside the muscle."""
        mask, slice_index = self.mask(case_id), self.result(case_id).level.slice_index
        labels = mask.labels.copy()
        label = {"left": 1, "right": 2}[side]
        ys = np.nonzero(labels[slice_index] == label)[0]
        free = np.argwhere(labels[slice_index, : ys.min()] == 0)[-n_pixels:]
        labels[slice_index, free[:, 0], free[:, 1]] = label
        return replace(mask, labels=labels)


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    """Where the one run is that all tests copy."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def reviewed(truth_rooms, runs, tmp_path) -> Run:
    if not (runs / "in").exists():
        for name in ("A-1", "B-2"):
            truth_rooms.write(runs / "in" / name, patient_id=name)
        batch.run(dicom.scan(runs / "in"), PROTOCOL, None, runs / "out")
    shutil.copytree(runs / "out", tmp_path / "out")
    rows = final_rows(tmp_path / "out")
    return Run(tmp_path / "out", dicom.scan(runs / "in"), tuple(row.result.case_id for row in rows))
