"""Drafts: a reviewer's changes that are not decided yet, saved so that closing or a crash loses nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from glutseg.errors import GlutsegError
from glutseg.image import Geometry, Mask
from glutseg.output.atomic import write_text
from glutseg.output.json_file import read_json
from glutseg.output.layout import case_file
from glutseg.review.masks import NIFTI, NRRD, read_mask, write_mask
from glutseg.review.record import record_sha256, reviewer_id


@dataclass(frozen=True)
class Draft:
    """A mask and the slice of the level (canonical order); drafts are in no table."""

    mask: Mask
    slice_index: int


def write_draft(out: Path, case_id: str, reviewer: str, mask: Mask, slice_index: int) -> None:
    """Write a draft, replacing an earlier one.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    base = _base(out, case_id, reviewer)
    write_mask(base.with_name(base.name + NIFTI), mask)
    content = {"slice_index": slice_index, "record_sha256": record_sha256(out, case_id)}
    write_text(base.with_name(base.name + ".json"), json.dumps(content) + "\n")


def read_draft(out: Path, case_id: str, reviewer: str, geometry: Geometry) -> Draft | None:
    """The draft of a case; None where there is none, or where the case was measured again since."""
    base = _base(out, case_id, reviewer)
    try:
        saved = read_json(base.with_name(base.name + ".json"))
        if saved["record_sha256"] != record_sha256(out, case_id):
            return None
        slice_index = int(saved["slice_index"])
        mask = read_mask(base.with_name(base.name + NIFTI), geometry)
    except (OSError, ValueError, LookupError, TypeError, GlutsegError):
        return None
    return Draft(mask, slice_index) if 0 <= slice_index < geometry.shape[0] else None


def remove_draft(out: Path, case_id: str, reviewer: str) -> None:
    """Remove the draft of a case, if there is one.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    base = _base(out, case_id, reviewer)
    try:
        for suffix in (".json", NIFTI, NRRD):
            base.with_name(base.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", base.name) from error


def _base(out: Path, case_id: str, reviewer: str) -> Path:
    return out / case_file(case_id, f"draft-{reviewer_id(reviewer)}")
