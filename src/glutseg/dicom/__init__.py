"""DICOM: scan a folder for series with geometry, choose one per study, read its voxels in HU."""

from glutseg.dicom.ahead import read_ahead
from glutseg.dicom.choose import (
    Choice,
    check_requested_series,
    choose,
    reason_with_part,
    series_flags,
    why_none,
)
from glutseg.dicom.given import given_slice, stacks_of
from glutseg.dicom.grid import is_tilted
from glutseg.dicom.localiser import Localiser, localiser_step, read_localiser, read_near
from glutseg.dicom.model import FileProblem, Index, Series, SeriesTags, SliceHeader, Study
from glutseg.dicom.read import read
from glutseg.dicom.scan import scan
from glutseg.dicom.slices import Fetch, already_local
from glutseg.dicom.source import Source
from glutseg.dicom.store import INDEX_FILE, remove_index, temporary_index
from glutseg.dicom.summary import StudySummary, summaries

__all__ = [
    "INDEX_FILE",
    "Choice",
    "Fetch",
    "FileProblem",
    "Index",
    "Localiser",
    "Series",
    "SeriesTags",
    "SliceHeader",
    "Source",
    "Study",
    "StudySummary",
    "already_local",
    "check_requested_series",
    "choose",
    "given_slice",
    "is_tilted",
    "localiser_step",
    "read",
    "read_ahead",
    "read_localiser",
    "read_near",
    "reason_with_part",
    "remove_index",
    "scan",
    "series_flags",
    "stacks_of",
    "summaries",
    "temporary_index",
    "why_none",
]
