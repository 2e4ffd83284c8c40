"""Where everything lies below the output folder."""

from __future__ import annotations

MEASUREMENTS_CSV = "measurements.csv"
MEASUREMENTS_PARQUET = "measurements.parquet"
"""Of `glutseg export`; version 0.1 wrote it with every run."""
PROFILE_CSV = "profile.csv"
RUN_JSON = "run.json"
LEVELS_CSV = "levels.csv"
REVIEWS_CSV = "reviews.csv"
REVIEWER_JSON = "reviewer.json"
"""Whose decisions the tables follow, where somebody has chosen."""
RUN_FILES = (
    MEASUREMENTS_CSV,
    MEASUREMENTS_PARQUET,
    PROFILE_CSV,
    LEVELS_CSV,
    REVIEWS_CSV,
    REVIEWER_JSON,
    RUN_JSON,
)

LOCK = ".glutseg.lock"
OWNER_JSON = ".glutseg.owner.json"
"""Who is at work in the folder (`glutseg.output.lock`); neither is there when nobody is."""

REPORT_HTML = "report.html"
PAGE_MARK = '<meta name="generator" content="glutseg">'
"""By which a page of ours is known again."""

CASES = "cases"
MASK = "mask.nii.gz"
MASK_NRRD = "mask.nrrd"
"""Beside the other one where the grid is sheared, which readers of NIfTI built on ITK straighten."""
OVERLAY = "overlay.png"
OTHER_OUTLINES = "other_outlines.nii.gz"
"""The measured slice only, with the outlines that differ most from the measured ones; for the viewer."""
CASE_JSON = "case.json"
CASE_FILES = (MASK, MASK_NRRD, OVERLAY, OTHER_OUTLINES, CASE_JSON)
REVIEW_PREFIX, REVIEW_SUFFIX = "review-", ".json"
"""Around a reviewer's name; people's work is never among the files that a run replaces."""


def case_file(case_id: str, name: str) -> str:
    """Path of a case's file, relative to the output folder, with ``/`` on every system."""
    return f"{CASES}/{case_id}/{name}"
