"""Files, slices, series and studies as read from headers, without patients' names and pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glutseg.dicom.source import Source
from glutseg.errors import Flag, GlutsegError
from glutseg.image import Geometry

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2.1"
LEGACY_ENHANCED_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2.2"
CT_CLASSES = (CT_IMAGE, ENHANCED_CT_IMAGE, LEGACY_ENHANCED_CT_IMAGE)
"""SOP classes (PS3.4, B.5) whose pixels are CT; anything else in a CT study is not measured."""
NIFTI_IMAGE = "NIfTI"
"""Stands for the SOP class of an image that comes from a NIfTI file."""
MEASURED_CLASSES = (*CT_CLASSES, NIFTI_IMAGE)
"""What may be measured."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file or folder that could not be read, with the reason."""

    source: Source
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SeriesProblem:
    """Why the images of a series are not a regular stack; ``code`` is an error code."""

    code: str
    message: str

    def error(self, where: str) -> GlutsegError:
        """Return the error to raise if the series is read."""
        return GlutsegError(self.code, self.message, where)


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """One image: a file, or one frame of a multi-frame file.

    Attributes
    ----------
    frame : index within the file, from 0
    position_mm : LPS (x, y, z) of the centre of the first pixel
    orientation : unit vectors in which the column index (first three) and the row index (last three) grow
    pixel_spacing_mm : (between rows = y, between columns = x)
    samples : per pixel, 1 for greyscale
    rescale : (slope, intercept) from stored values to HU
    padding : lowest and highest stored value of padding ("no pixel here")
    file_sop_uid : the UID in the file where ``sop_uid`` is a pseudonym; never written anywhere
    """

    source: Source
    frame: int
    sop_uid: str
    sop_class_uid: str
    instance_number: int | None
    acquisition_number: int | None
    position_mm: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing_mm: tuple[float, ...] | None
    rows: int
    columns: int
    samples: int
    rescale: tuple[float, float] | None
    padding: tuple[int, int] | None
    file_sop_uid: str = ""


@dataclass(frozen=True, slots=True)
class SeriesTags:
    """Tags that describe a series; texts are cleaned, unknown values are "" or None."""

    modality: str
    sop_class_uid: str
    description: str
    kernel: str
    image_type: tuple[str, ...]
    slice_thickness_mm: float | None
    kvp: str
    contrast: str
    body_part: str
    patient_position: str
    manufacturer: str
    rescale_type: str
    transfer_syntax_uid: str
    reconstruction_diameter_mm: float | None = None
    aspect_ratio: tuple[float, ...] | None = None
    """(height, width) of a pixel, as whole numbers."""
    gantry_tilt_degrees: float | None = None
    model_name: str = ""
    calculation_technique: str = ""
    orientation_type: str = ""


@dataclass(frozen=True, slots=True)
class FileHeader:
    """Header of one DICOM or NIfTI file with its images (none for a report)."""

    source: Source
    patient_id: str
    study_uid: str
    study_date: str
    patient_size_m_raw: str
    series_uid: str
    tags: SeriesTags
    slices: tuple[SliceHeader, ...]
    lossy: str = ""
    """Lossy compression as stated by the header; "" if none is stated."""
    problem: tuple[str, str] | None = None
    """Why a NIfTI file cannot be measured: code and message of a `SeriesProblem`."""
    step_mm: tuple[float, ...] | None = None
    """LPS (x, y, z) from one slice of a NIfTI file to the next."""


@dataclass(frozen=True)
class Series:
    """One regular stack of slices of a series; a series with several stacks is several of these.

    Attributes
    ----------
    series_uid : "" if the files have none
    tags : tags of the first image of the stack
    n_files, n_images : number in the whole series (a frame counts as an image)
    slices : those of the stack, ascending along the slice normal
    grid_indices : index on the grid of each of ``slices``; indices without a slice are missing images
    geometry : grid of the stack, or None. With gantry tilt its z direction is not perpendicular to slices.
    problem : why there is no geometry, as far as it is known
    is_lossy : whether a header states lossy compression
    flags : found while stacking, for instance ``series-gap``
    duplicates : images left out because one of ``slices`` (or of another stack) has the same position
    goes_on_at : places on the grid, before its first and after its last slice, where the next image lies
        beyond a long gap; None where there is none
    part, n_parts : number of this stack in the series, from 1, and number of stacks; the largest is first
    """

    series_uid: str
    tags: SeriesTags
    n_files: int
    n_images: int
    slices: tuple[SliceHeader, ...]
    grid_indices: tuple[int, ...]
    geometry: Geometry | None
    flags: tuple[Flag, ...]
    problem: SeriesProblem | None = None
    part: int = 1
    n_parts: int = 1
    is_lossy: bool = False
    duplicates: tuple[SliceHeader, ...] = ()
    goes_on_at: tuple[float | None, float | None] = (None, None)

    @property
    def modality(self) -> str:
        return self.tags.modality

    @property
    def sop_class_uid(self) -> str:
        return self.tags.sop_class_uid

    @property
    def description(self) -> str:
        return self.tags.description

    @property
    def kernel(self) -> str:
        return self.tags.kernel

    @property
    def image_type(self) -> tuple[str, ...]:
        return self.tags.image_type

    @property
    def coverage_mm(self) -> float:
        """Distance from the first to the last slice."""
        return 0.0 if self.geometry is None else (self.geometry.shape[0] - 1) * self.geometry.spacing_mm[0]

    @property
    def n_missing(self) -> int:
        """Number of grid indices without a slice."""
        return 0 if self.geometry is None else self.geometry.shape[0] - len(self.slices)


@dataclass(frozen=True)
class Study:
    """One study of one patient.

    Attributes
    ----------
    study_uid : "" if the files have none; they are then grouped by folder
    study_date : as in the header, normally YYYYMMDD
    patient_size_m_raw : Patient's Size (0010,1020) as stated in the header, unchecked
    """

    study_uid: str
    patient_id: str
    study_date: str
    patient_size_m_raw: str
    series: tuple[Series, ...]
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Index:
    """All studies below ``root``, in an order that does not depend on the file system.

    Of an index that is kept on disk (`glutseg.dicom.scan`), ``studies`` loads one at a time.
    """

    root: Path
    studies: Sequence[Study]
    problems: tuple[FileProblem, ...] = ()
    n_files: int = 0
    n_other_files: int = 0
    """Number of files that are no images: neither DICOM nor a NIfTI image."""

    def check_not_empty(self) -> None:
        """Refuse an index without a study.

        Raises
        ------
        GlutsegError
            ``input-empty``, with the number of files that cannot be read, or are something else.
        """
        if self.studies:
            return
        found = "no DICOM or NIfTI image was found"
        n = len(self.problems)
        unread = f"; {n} files could not be read, the first: {self.problems[0].message}" if n else ""
        other = (
            f"; {self.n_other_files} files are something else, such as masks" if self.n_other_files else ""
        )
        raise GlutsegError("input-empty", found + unread + other, str(self.root))
