"""One case to be exported: the content of every format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from glutseg.exchange.images import CaseImages, source_datasets
from glutseg.exchange.terms import TERMS, Term
from glutseg.image import Mask
from glutseg.output.schema import CaseRow
from glutseg.segmentation import GivenMaskOutliner
from glutseg.segmentation.totalsegmentator import TotalSegmentator
from glutseg.version import __version__

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PROGRAM = "glutseg"
GIVEN = "outline given to glutseg"
GIVEN_MASK = GivenMaskOutliner.name
SERIES_NUMBERS = {"seg": 9301, "sr": 9302, "rtstruct": 9303}
"""High, so that they do not stand among the scanner's own."""


NEIGHBORHOOD_ANALYSIS = ("123101", "DCM", "Neighborhood Analysis")
ARTIFICIAL_INTELLIGENCE = ("123110", "DCM", "Artificial Intelligence")
"""Families of algorithms (PS3.16, CID 7162)."""


@dataclass(frozen=True)
class Algorithm:
    """The algorithm that made the outlines."""

    name: str
    version: str
    family: tuple[str, str, str]


@dataclass(frozen=True)
class Job:
    """A case with its mask and, for DICOM, its images.

    Attributes
    ----------
    row : the final row, corrected or automatic
    when : start of the run
    images : None where the format needs none
    """

    row: CaseRow
    mask: Mask
    when: datetime
    images: CaseImages | None = None

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The muscles in the mask."""
        present = set(self.mask.labels.ravel()[self.mask.labels.ravel() > 0].tolist())
        return tuple(term for term in TERMS if term.label in present)

    @property
    def case_images(self) -> CaseImages:
        """Of a DICOM export.

        Raises
        ------
        ValueError
            Without images.
        """
        if self.images is None:
            msg = "this format needs the images"
            raise ValueError(msg)
        return self.images

    @cached_property
    def sources(self) -> list[Dataset]:
        """Headers of the image files behind the mask's slices; slices of one file share theirs."""
        images = self.case_images
        return source_datasets([images.headers[stored_slice] for stored_slice in images.used])

    @property
    def values(self) -> str:
        """Whose outlines they are: ``automatic``, ``corrected`` by a person, or ``given`` from outside."""
        if self.row.is_corrected:
            return "corrected"
        return "given" if self.row.result.outliner == GIVEN_MASK else "automatic"

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm as DICOM names it; of given outlines nothing is known here."""
        if self.values == "given":
            return Algorithm(GIVEN, self.version, NEIGHBORHOOD_ANALYSIS)
        if self.row.result.outliner == TotalSegmentator.name:
            message = next(flag.message for flag in self.row.result.flags if flag.code == "other-outliner")
            name, _, number = message.partition(",")[0].rpartition(
                " "
            )  # "TotalSegmentator 2.18.0, task total"
            return Algorithm(name, number, ARTIFICIAL_INTELLIGENCE)
        return Algorithm(PROGRAM, self.version, NEIGHBORHOOD_ANALYSIS)

    @property
    def algorithm_type(self) -> str:
        """``SEMIAUTOMATIC`` unless the outlines are purely automatic: DICOM has no value for unknown."""
        return "AUTOMATIC" if self.values == "automatic" else "SEMIAUTOMATIC"

    @property
    def parameters(self) -> dict[str, str]:
        """Protocol, level, origin and status of the outlines."""
        level = self.row.result.level
        return {
            "protocol": self.row.protocol,
            "level": level.name if level else "",
            "values": self.values,
            "status": self.row.result.status,
        }

    @property
    def version(self) -> str:
        return __version__
