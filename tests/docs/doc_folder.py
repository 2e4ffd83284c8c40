"""The folder in which the pages' commands are tried: what the pages call EXPORT, OUT, SERIES and so on."""

from __future__ import annotations

import base64
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from glutseg import review
from glutseg.batch.pool import in_this_process
from glutseg.cli import app
from glutseg.output import overlay
from glutseg.phantom import Phantom, PhantomScan, cohort_members, render, write_dicom
from osirix_drawn import Drawn
from stand_ins import use_truth

ROOT = Path(__file__).resolve().parents[2]
SCAN = PhantomScan(matrix=96, pixel_mm=4.4, slice_mm=5.0, z_range_mm=(-35.0, 40.0))
MEMBERS = cohort_members(per_group=3)
IDS = [member.patient.patient_id for member in MEMBERS]
LEVEL_SLICE = 8
TOTALSEGMENTATOR = {1: 80, 2: 81}
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def drawn() -> list[Phantom]:
    """A phantom for each member: one is rendered, the others differ by a pixel and a thinner muscle."""
    first = render(MEMBERS[0].patient, SCAN)
    phantoms = []
    for number, member in enumerate(MEMBERS):
        hu, labels = first.volume.hu.copy(), first.truth.labels.copy()
        hu[0, 0, 0] += number
        labels[:, :, :: 40 - 6 * number] = 0
        volume, truth = replace(first.volume, hu=hu), replace(first.truth, labels=labels)
        phantoms.append(replace(first, patient=member.patient, volume=volume, truth=truth))
    return phantoms


@contextmanager
def stand_ins(phantoms: list[Phantom]) -> Iterator[None]:
    """Hips, level and outline are told, pictures are empty, all in this process; the rest is real."""
    with pytest.MonkeyPatch.context() as patch:
        use_truth(patch, phantoms, lambda *_: LEVEL_SLICE, peak=True)
        patch.setattr(overlay, "draw_overlay", lambda *_what: PICTURE)
        patch.setattr(
            sys.modules["glutseg.batch.run"],
            "_results",
            lambda tasks, context, *_how: in_this_process(tasks, context),
        )
        patch.setattr(sys.modules["glutseg.batch.folder"], "_early_worker", lambda *_how: nullcontext([]))
        yield


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def glutseg(*words: str) -> str:
    """What a command prints; nothing done (1) is an error, something to look at (2) is not."""
    # by itself, a wrong option is the library's exit code 2
    done = CliRunner().invoke(app, list(words), catch_exceptions=False, standalone_mode=False)
    assert (done.return_value or 0) in (0, 2), f"glutseg {' '.join(words)}: {done.output}"
    return done.stdout


def prepare(folder: Path, phantoms: list[Phantom]) -> None:
    """Everything that a page may name; called within `stand_ins`."""
    folder.mkdir()
    with inside(folder):
        for phantom in phantoms:
            write_dicom(phantom, Path("EXPORT") / phantom.patient.patient_id)
        shutil.copytree(Path("EXPORT") / IDS[0], "SERIES")
        write_tables(
            "participants",
            "patient_id,group,age_years,height_m,bmi_kg_m2,visits",
            [
                f"{m.patient.patient_id},{m.group},{m.patient.age},{m.patient.height_m},{m.bmi_kg_m2},{m.visits}"
                for m in MEMBERS
            ],
        )
        shutil.copy("participants.xlsx", "heights.xlsx")
        glutseg("run", "EXPORT", "-o", "OUT")
        glutseg("run", "EXPORT", "-o", "OTHER_RUN", "--level", "slice=7")
        for case in sorted(Path("OUT/cases").iterdir())[:4]:
            review.accept(Path("OUT"), case.name, "anna")
        write_masks()
        Drawn(Path("SERIES"), phantoms[0].truth, slice_index=LEVEL_SLICE).csv(Path("rois.csv"))
        Path("sample_dicom").symlink_to(ROOT / "sample_dicom")


def write_tables(name: str, heading: str, lines: list[str]) -> None:
    """The same table as CSV and XLSX."""
    Path(f"{name}.csv").write_text("\n".join([heading, *lines]) + "\n", encoding="utf-8")
    book = openpyxl.Workbook()
    for line in (heading, *lines):
        book.active.append([float(c) if c.replace(".", "").isdigit() else c for c in line.split(",")])
    book.save(f"{name}.xlsx")


def write_masks() -> None:
    """FILE is of SERIES; MASKS/ are as of TotalSegmentator, masks/ with glutseg's own numbers."""
    Path("MASKS").mkdir()
    Path("masks").mkdir()
    for patient_id in IDS:
        (found,) = Path("OUT/cases").glob(f"{patient_id}-*/mask.nii.gz")
        shutil.copy(found, f"masks/{patient_id}.nii.gz")
        theirs = sitk.ChangeLabel(sitk.ReadImage(str(found)), TOTALSEGMENTATOR)
        sitk.WriteImage(theirs, f"MASKS/{patient_id}.nii.gz")
    shutil.copy(f"masks/{IDS[0]}.nii.gz", "FILE")
    areas = [f"{patient_id},{3000 + 90 * n},{3100 + 80 * n}" for n, patient_id in enumerate(IDS)]
    write_tables("osirix", "patient_id,area_left_mm2,area_right_mm2", areas)
