"""Many cases from one: a study's files and results under other ids, so that it is segmented once only."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import generate_uid

from glutseg import review
from glutseg.output.case_id import case_id
from glutseg.output.ledger import read_case
from made_run import reseal


@dataclass(frozen=True)
class Ten:
    """A run, and where its images are."""

    out: Path
    images: Path

    @property
    def names(self) -> list[str]:
        return [row["case_id"] for row in self.table()]

    def table(self, name: str = "measurements.csv") -> list[dict[str, str]]:
        with (self.out / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def row(self, name: str) -> dict[str, str]:
        return next(row for row in self.table() if row["case_id"] == name)


def make_ten(study: Path, run: Path, folder: Path, n: int = 10) -> None:
    """Write ``folder/in`` with n studies and ``folder/out`` with a run of them."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (only,) = [case["case_id"] for case in record["cases"]]
    result = read_case(run, only).row.result
    cases = []
    for number in range(1, n + 1):
        ids = {
            result.patient_id: f"TEN-{number:04d}",
            result.study_uid: other_uid(result.study_uid, number),
            result.series.series_uid: other_uid(result.series.series_uid, number),
        }
        name = case_id(ids[result.patient_id], ids[result.study_uid])
        _copy_images(study, folder / "in" / f"{number:04d}", ids, number)
        target = folder / "out/cases" / name
        target.mkdir(parents=True)
        for file in (run / "cases" / only).iterdir():
            (target / file.name).write_bytes(file.read_bytes())
        case = json.loads((target / "case.json").read_text(encoding="utf-8"))
        case["series"]["sop_uid_of_slice"] = other_uid(case["series"]["sop_uid_of_slice"], number)
        text = json.dumps(case, indent=1, ensure_ascii=False) + "\n"
        for old, new in {only: name, **ids}.items():
            text = text.replace(f'"{old}"', f'"{new}"').replace(f"/{old}/", f"/{new}/")
        (target / "case.json").write_text(text, encoding="utf-8")
        reseal(target / "case.json")
        cases.append({"case_id": name, "status": result.status, "seconds": {}})
    record |= {"cases": cases, "input": str(folder / "in"), "studies": n}
    (folder / "out/run.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    review.Collator(folder / "out").collate()


def _copy_images(study: Path, target: Path, ids: dict[str, str], number: int) -> None:
    target.mkdir(parents=True)
    for file in sorted(path for path in study.rglob("*") if path.is_file()):
        image = pydicom.dcmread(file, force=True)
        if "PixelData" not in image:
            continue
        image.PatientID = ids[image.PatientID]
        image.StudyInstanceUID = ids[image.StudyInstanceUID]
        image.SeriesInstanceUID = ids[image.SeriesInstanceUID]
        image.SOPInstanceUID = other_uid(image.SOPInstanceUID, number)
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        image.save_as(target / file.name)


def other_uid(uid: str, number: int) -> str:
    """Another UID for each number."""
    return str(generate_uid(entropy_srcs=[uid, str(number)]))
