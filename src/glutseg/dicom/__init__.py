"""DICOM: from a folder to series with geometry, the choice of one per study, and its voxels in HU."""

from glutseg.dicom.choose import Choice, choose, series_flags
from glutseg.dicom.model import FileProblem, Index, LoadedSeries, Series, SliceHeader, Study
from glutseg.dicom.read import read
from glutseg.dicom.scan import scan
from glutseg.dicom.source import Source

__all__ = [
    "Choice",
    "FileProblem",
    "Index",
    "LoadedSeries",
    "Series",
    "SliceHeader",
    "Source",
    "Study",
    "choose",
    "read",
    "scan",
    "series_flags",
]
