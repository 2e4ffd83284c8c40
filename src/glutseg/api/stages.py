"""The stages one by one: read, find the level, segment, measure, grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glutseg import dicom
from glutseg.anatomy import hip_flags
from glutseg.api.inputs import Image, LevelLike, MaskLike, as_image, as_level, as_mask, as_protocol
from glutseg.api.words import python_errors
from glutseg.case import locate, measure_case
from glutseg.case.shown import areas_line, cell, flags_line, muscles_html
from glutseg.dicom.single import single_series
from glutseg.errors import Flag, GlutsegError
from glutseg.image import CtImage, Mask, Muscle, Side
from glutseg.measurement import check_grid, grown, measure_slice
from glutseg.protocol import ExtentRule, LevelRule, Protocol, SeriesRule, TissueRule
from glutseg.result import Level, MuscleResult, SliceMeasurement
from glutseg.segmentation import Outliner, growing, named_outliner

MAX_NAMED = 5


@dataclass(frozen=True, repr=False)
class Segmentation:
    """Outlines with what is known of them.

    Attributes
    ----------
    mask : 1 left, 2 right, further labels as in `glutseg.image.LABELS`
    level : at which measurement, expected error and flags of ``muscles`` are given
    muscles : one record per muscle and side: measurement, expected error, edge support, flags, whole
        muscle
    flags : all quality flags
    """

    mask: Mask
    level: Level
    muscles: tuple[MuscleResult, ...]
    flags: tuple[Flag, ...]

    @property
    def error_bound_percent(self) -> dict[tuple[Muscle, Side], float | None]:
        """In 90 % of cases the true area lies within so many percent of the measured one, or None."""
        return {(record.muscle, record.side): record.error_bound_percent for record in self.muscles}

    def to_sitk(self) -> Any:
        """The mask as a SimpleITK image in the order of the files."""
        return self.mask.to_sitk()

    def __repr__(self) -> str:
        return f"Segmentation({areas_line(self.muscles, self.level)}; {flags_line(self.flags)})"

    def _repr_html_(self) -> str:
        return f"<p>{cell(repr(self))}</p>{muscles_html(self.muscles)}"


@python_errors
def load(
    path: str | Path,
    protocol: str | Path | Protocol = "femoral-head-top",
    *,
    series_uid: str | None = None,
) -> CtImage:
    """Read the CT series that would be measured of the one study in a folder, or the one that is named.

    Parameters
    ----------
    path : a folder with one study, a zip archive or one file: DICOM, or NIfTI (.nii, .nii.gz) in HU
    protocol : a name, a TOML file or a `Protocol`; its rule for series decides, and whether its level
        is given
    series_uid : Series Instance UID of the series to read instead; then there may be several studies

    Returns
    -------
    CtImage
        What `measure_study` measures (a single slice where the level is ``given``): ``hu`` (z, y, x) from the
        feet to the head, ``geometry``, ``missing_slices`` and ``flags``. ``to_sitk()`` gives it in the order
        of its files.

    Raises
    ------
    GlutsegError
        ``input-missing``, ``input-empty``, ``no-usable-series``, or why the series cannot be read;
        ``input-ambiguous`` when there is more than one study; ``series-unknown`` for a UID that is
        nowhere.
    """
    index = dicom.scan(Path(path))
    if series_uid is not None:
        return dicom.read(single_series(index, series_uid))
    asked = as_protocol(protocol)
    study = one_study(index, asked.series)
    choice = dicom.choose(study, asked.series, single_slices=asked.level.is_given)
    if not choice.candidates:
        code, message = dicom.why_none(study, choice.rejected_series)
        raise GlutsegError(code, message, str(path))
    return dicom.read(choice.candidates[0])


def one_study(index: dicom.Index, rule: SeriesRule) -> dicom.Study:
    """The only study of an index.

    Raises
    ------
    GlutsegError
        ``input-empty``, ``input-ambiguous``, ``series-unknown``.
    """
    index.check_not_empty()
    studies, where = index.studies, str(index.root)
    if len(studies) > 1:
        ids = [study.patient_id or study.study_uid for study in studies[:MAX_NAMED]]
        named = ", ".join(ids) + (", …" if len(studies) > MAX_NAMED else "")
        raise GlutsegError(
            "input-ambiguous", f"{len(studies)} studies lie here ({named}), expected one", where
        )
    dicom.check_requested_series(index, rule)
    return studies[0]


@python_errors
def find_level(
    image: Image,
    protocol: str | Path | Protocol = "femoral-head-top",
    *,
    spacing_mm: Sequence[float] | None = None,
) -> Level:
    """Find the axial slice to measure.

    Parameters
    ----------
    image : CT of the pelvis: `CtImage`, SimpleITK image in HU, or array (z, y, x) in HU with ``spacing_mm``
    protocol : a name, a TOML file or a `Protocol`; or a level as on the command line: a landmark,
        ``z=MM`` or ``slice=N``
    spacing_mm : (z, y, x), for an array; its slices run from the feet to the head, its columns to the
        patient's left

    Returns
    -------
    Level
        ``slice_index`` from 0 at the feet, ``z_mm`` of that slice's middle, the landmarks it rests on (LPS,
        mm) and ``flags``.

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``landmark-not-found``, ``level-outside``, ``level-in-gap``, ``image-invalid``.
    """
    rule = as_protocol(protocol)
    anatomy, level = locate(as_image(image, spacing_mm), rule.level, rule.method)
    return replace(level, flags=(*(hip_flags(anatomy) if anatomy else ()), *level.flags))


@python_errors
def segment(
    image: Image,
    level: LevelLike = "femoral-head-top",
    *,
    profile_mm: float = 15.0,
    whole_muscle: bool = False,
    muscles: tuple[Muscle, ...] = ("maximus",),
    outliner: str | Outliner = "glutseg",
    spacing_mm: Sequence[float] | None = None,
) -> Segmentation:
    """Segment the gluteal muscles around a level, or from end to end, as ``glutseg run`` does.

    Parameters
    ----------
    image : as in `find_level`
    level : from `find_level`, a slice of ``image`` from 0, or in words: a landmark, ``z=MM``, ``slice=N``
    profile_mm : how far above and below the level is segmented
    whole_muscle : go on from there to the muscles' ends
    muscles : ``("maximus", "medius", "minimus")`` or fewer, the first always
    outliner : "glutseg", "totalsegmentator" where it is installed, or an object like them
    spacing_mm : as in `find_level`

    Returns
    -------
    Segmentation
        ``mask`` (1 left, 2 right, further labels as in `glutseg.image.LABELS`), and per muscle and side its
        measurement at the level, expected error and quality flags.

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``muscle-not-found``, ``outliner-unknown``, those of levels, ``image-invalid``.
    """
    ct = as_image(image, spacing_mm)
    chosen = named_outliner(outliner) if isinstance(outliner, str) else outliner
    chosen.check()
    found = as_level(level, ct, image)
    at_level = LevelRule(
        landmark="slice", slice_index=ct.stored_slice(found.slice_index), profile_mm=profile_mm
    )
    extent = ExtentRule(muscles=muscles, whole_muscle=whole_muscle)
    case = measure_case(ct, chosen, Protocol(name="segment", level=at_level, extent=extent))
    if case.mask is None:
        raise GlutsegError(case.result.error_code, case.result.error_message)
    return Segmentation(case.mask, found, case.result.muscles, case.flags)


@python_errors
def measure(
    image: Image,
    mask: MaskLike,
    level: LevelLike,
    *,
    tissue: TissueRule | None = None,
    muscle: Muscle = "maximus",
    spacing_mm: Sequence[float] | None = None,
) -> dict[Side, SliceMeasurement]:
    """Measure a mask, of glutseg or of anybody, on one slice.

    Parameters
    ----------
    image : as in `find_level`
    mask : from `segment`, a `Mask`, SimpleITK image or array (z, y, x) on the same grid; 1 left, 2 right, and
        further labels as in `glutseg.image.LABELS`
    level : as in `segment`
    tissue : HU windows; those of Aubrey 2014 (PMID 24393306) by default
    muscle : which of the three glutei
    spacing_mm : as in `find_level`

    Returns
    -------
    dict
        "left" and "right": areas in mm², densities in HU; NaN for a side without a pixel.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` when image and mask are on different grids; ``labels-unknown`` for a mask of
        True and False, of 0 and 255, or of fractions; ``level-outside``, ``level-in-gap`` and
        ``slice-not-read`` for a slice that has no image to measure.

    Examples
    --------
    A block of 4 by 5 pixels of 1.5 mm² on the left:

    >>> import numpy as np
    >>> from glutseg import measure
    >>> mask = np.zeros((3, 8, 10), int)
    >>> mask[1, 2:6, 4:9] = 1
    >>> sides = measure(np.full((3, 8, 10), 50), mask, 1, spacing_mm=(5.0, 1.0, 1.5))
    >>> sides["left"].area_mm2, sides["left"].mean_hu
    (30.0, 50.0)
    >>> sides["right"].area_mm2
    nan
    """
    ct = as_image(image, spacing_mm)
    labels = as_mask(mask, ct, image)
    check_grid(ct, labels)
    at = as_level(level, ct, image).slice_index
    return measure_slice(ct, labels, at, tissue or TissueRule(), muscle)


@python_errors
def grow(
    image: Image,
    seed: Sequence[int],
    method: str = "interval",
    *,
    z_mm: float | None = None,
    is_3d: bool = False,
    spacing_mm: Sequence[float] | None = None,
    **parameters: float | None,
) -> grown.GrownRegion:
    """Grow a region from one seed and read it out, as OsiriX does.

    Parameters
    ----------
    image : as in `find_level`
    seed : (x, y, z) = column, row, slice of ``image``, from 0; z may be left out with ``z_mm`` (LPS)
        or where there is only one slice
    method : ``interval``, ``bounds``, ``neighborhood`` or ``confidence``
    is_3d : through the whole series; otherwise within the seed's slice
    spacing_mm : as in `find_level`
    **parameters : fields of the method's model in `glutseg.segmentation.growing`: ``interval_hu``;
        ``lower_hu``, ``upper_hu``; ``radius_px``; ``multiplier``, ``iterations``,
        ``initial_radius_px``. OsiriX's defaults where it has one.

    Returns
    -------
    GrownRegion
        The mask and its area (mm²) or volume (cm³), mean, SD, minimum, maximum and sum (HU).

    Raises
    ------
    GlutsegError
        ``seed-invalid``, ``seed-outside``, ``bounds-missing``, ``bounds-reversed``,
        ``growing-invalid``, ``region-empty``, ``level-in-gap``, ``slice-not-read``.

    Examples
    --------
    >>> import numpy as np
    >>> from glutseg import grow
    >>> hu = np.full((1, 8, 10), -100)
    >>> hu[0, 2:6, 4:9] = 50
    >>> region = grow(hu, (5, 3, 0), interval_hu=100, spacing_mm=(5.0, 1.0, 1.5))
    >>> region.readout.area_mm2, region.readout.mean_hu
    (30.0, 50.0)
    """
    settings = growing.parse_settings(method, **parameters)
    ct = as_image(image, spacing_mm)
    if hasattr(image, "GetSpacing"):
        placed = grown.stored_seed(seed, ct, z_mm)
    else:
        placed = growing.place_seed(seed, ct.geometry, z_mm)
    return grown.grow_and_read_out(ct, placed, settings, is_3d=is_3d)
