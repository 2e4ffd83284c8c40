"""DICOM: from a folder to series with geometry, the choice of one per study, and its voxels in HU."""

from glutseg.dicom.choose import Choice, check_asked, choose, in_words, series_flags
from glutseg.dicom.first_look import Survey, read_near, survey
from glutseg.dicom.grid import is_tilted
from glutseg.dicom.model import FileProblem, Index, LoadedSeries, Series, SeriesTags, SliceHeader, Study
from glutseg.dicom.read import read
from glutseg.dicom.scan import scan
from glutseg.dicom.slices import Bring, at_hand
from glutseg.dicom.source import Source

__all__ = [
    "Bring",
    "Choice",
    "FileProblem",
    "Index",
    "LoadedSeries",
    "Series",
    "SeriesTags",
    "SliceHeader",
    "Source",
    "Study",
    "Survey",
    "at_hand",
    "check_asked",
    "choose",
    "in_words",
    "is_tilted",
    "read",
    "read_near",
    "scan",
    "series_flags",
    "survey",
]
