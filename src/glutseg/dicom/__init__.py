"""DICOM: from a folder to series with geometry, the choice of one per study, and its voxels in HU."""

from glutseg.dicom.choose import Choice, check_asked, choose, in_words, series_flags
from glutseg.dicom.grid import is_tilted
from glutseg.dicom.localiser import Localiser, read_localiser, read_near
from glutseg.dicom.model import FileProblem, Index, LoadedSeries, Series, SeriesTags, SliceHeader, Study
from glutseg.dicom.read import read
from glutseg.dicom.scan import scan
from glutseg.dicom.slices import Fetch, already_local
from glutseg.dicom.source import Source

__all__ = [
    "Choice",
    "Fetch",
    "FileProblem",
    "Index",
    "LoadedSeries",
    "Localiser",
    "Series",
    "SeriesTags",
    "SliceHeader",
    "Source",
    "Study",
    "already_local",
    "check_asked",
    "choose",
    "in_words",
    "is_tilted",
    "read",
    "read_localiser",
    "read_near",
    "scan",
    "series_flags",
]
