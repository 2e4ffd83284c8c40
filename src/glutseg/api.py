"""The stages for research scripts, on `Volume` and `Mask`, SimpleITK images or numpy masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg import anatomy, dicom, pipeline, segmentation
from glutseg.errors import GlutsegError
from glutseg.measurement import grown, measure_slice, read_participants, slices_around
from glutseg.protocol import Protocol, TissueRule, load_protocol, with_level
from glutseg.result import CaseResult, LevelFound, SideMeasurement
from glutseg.segmentation import growing
from glutseg.volume import Mask, Muscle, Side, Volume

Image = Volume | Any
"""A `Volume`, or a SimpleITK image whose values are HU."""


def load(path: str | Path, protocol: str | Path | Protocol = "femoral-head-top") -> Volume:
    """Read the CT series that would be measured of the one study in a folder.

    Parameters
    ----------
    path : a folder with one study, or one file
    protocol : a name, a TOML file or a `Protocol`; its rule for series decides

    Returns
    -------
    Volume
        int16 HU (z, y, x) on the grid of the series; where slices are missing, the longest stretch
        without a gap.

    Raises
    ------
    GlutsegError
        ``input-missing``, ``input-empty``, ``no-usable-series``, or why the series cannot be read;
        ``input-ambiguous`` when there is more than one study.
    """
    index = dicom.scan(Path(path))
    studies = index.studies
    if not studies:
        raise GlutsegError("input-empty", "no DICOM image was found", str(path))
    if len(studies) > 1:
        raise GlutsegError("input-ambiguous", f"{len(studies)} studies lie here, expected one", str(path))
    rule = _protocol(protocol).series
    dicom.check_asked(index, rule)
    choice = dicom.choose(studies[0], rule)
    if not choice.candidates:
        reasons = "; ".join(sorted({reason for _, reason in choice.passed_over}))
        raise GlutsegError("no-usable-series", reasons or "the study has no series", str(path))
    return dicom.read(choice.candidates[0]).volume


def find_level(image: Image, protocol: str | Path | Protocol = "femoral-head-top") -> LevelFound:
    """Find the axial slice to measure.

    Parameters
    ----------
    image : CT of the pelvis
    protocol : a name, a TOML file or a `Protocol`; or a level as on the command line: a landmark,
        ``z=MM`` or ``slice=N``

    Returns
    -------
    LevelFound
        ``slice_index`` in the order of ``image``, ``z_mm`` of that slice's middle.

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``landmark-not-found``, ``level-outside``.
    """
    return pipeline.locate(_volume(image), _protocol(protocol).level)


def segment(
    image: Image,
    level: LevelFound | int,
    *,
    reach_mm: float = 15.0,
    whole_muscle: bool = False,
    muscles: tuple[Muscle, ...] = ("maximus",),
) -> Mask:
    """Segment both gluteus maximus muscles around a level, or from end to end.

    Parameters
    ----------
    image : CT of the pelvis
    level : from `find_level`, or a slice's index in the order of ``image``
    reach_mm : how far above and below the level is segmented
    whole_muscle : go on from there to the muscles' ends
    muscles : ``("maximus", "medius", "minimus")`` or fewer, the first always

    Returns
    -------
    Mask
        On the grid of ``image``; 1 left, 2 right, and further labels as in `glutseg.volume.LABELS`.

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``muscle-not-found``.
    """
    volume = _volume(image)
    canonical = volume.canonical()
    k = volume.geometry.canonical_slice(_slice_index(level))
    around = slices_around(canonical.geometry, k, reach_mm)
    found = anatomy.find_anatomy(canonical)
    segmented = segmentation.segment(canonical, found, around, whole=whole_muscle, muscles=muscles)
    return segmented.mask.restored(volume.geometry)


def measure(
    image: Image,
    mask: Mask | npt.NDArray[Any] | Any,
    level: LevelFound | int,
    tissue: TissueRule | None = None,
) -> dict[Side, SideMeasurement]:
    """Measure a mask, of glutseg or of anybody, on one slice.

    Parameters
    ----------
    image : CT
    mask : `Mask`, SimpleITK image or array (z, y, x) on the same grid; 1 left, 2 right
    level : from `find_level`, or a slice's index in the order of ``image``
    tissue : HU windows; those of Aubrey 2014 (PMID 24393306) by default

    Returns
    -------
    dict
        "left" and "right": areas in mm², densities in HU; NaN for a side without a pixel.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` when image and mask are on different grids.
    """
    volume = _volume(image)
    return measure_slice(volume, _mask(mask, volume), _slice_index(level), tissue or TissueRule())


def measure_folder(
    path: str | Path,
    protocol: str | Path | Protocol = "femoral-head-top",
    participants: str | Path | None = None,
    participants_columns: Mapping[str, str] | None = None,
) -> list[CaseResult]:
    """Measure every study below a folder; nothing is written.

    Parameters
    ----------
    path : any folder with DICOM files
    protocol : as in `find_level`
    participants : CSV, TSV or XLSX with ``patient_id`` and ``height_m`` (``_cm``, ``_mm``, ``_in``)
    participants_columns : where its columns have other names, for instance {"height_cm": "Größe"}

    Returns
    -------
    list of CaseResult
        One per study; a study that cannot be measured has the status ``failed`` and a reason.

    Raises
    ------
    GlutsegError
        ``input-missing``, ``protocol-unknown``, ``protocol-invalid``, ``participants-invalid``,
        ``series-unknown`` for a UID in the protocol that is nowhere.
    """
    rule = _protocol(protocol)
    table = None if participants is None else read_participants(Path(participants), participants_columns)
    index = dicom.scan(Path(path))
    dicom.check_asked(index, rule.series)
    return [pipeline.measure_study(study, rule, table).result for study in index.studies]


def grow(
    image: Image,
    seed: Sequence[int],
    method: str = "interval",
    *,
    z_mm: float | None = None,
    is_3d: bool = False,
    **parameters: float | None,
) -> grown.GrownRegion:
    """Grow a region from one seed and read it out, as OsiriX does.

    Parameters
    ----------
    image : CT
    seed : (x, y, z) = column, row, slice of ``image``, from 0; z may be left out with ``z_mm`` (LPS)
        or where there is only one slice
    method : ``interval``, ``bounds``, ``neighborhood`` or ``confidence``
    is_3d : through the whole series; otherwise within the seed's slice
    parameters : fields of the method's model in `glutseg.segmentation.growing`: ``interval_hu``;
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
        ``growing-invalid``, ``region-empty``.
    """
    settings = growing.parse_settings(method, **parameters)
    volume = _volume(image)
    placed = growing.place_seed(seed, volume.geometry, z_mm)
    mask = growing.grow_region(volume, placed, settings, is_3d=is_3d)
    return grown.read_out(volume, mask, placed, settings, is_3d=is_3d)


def _protocol(protocol: str | Path | Protocol) -> Protocol:
    if isinstance(protocol, Protocol):
        return protocol
    if "=" in str(protocol):
        return with_level(load_protocol(), str(protocol))
    return load_protocol(protocol)


def _volume(image: Image) -> Volume:
    return image if isinstance(image, Volume) else Volume.from_sitk(image)


def _mask(mask: Any, volume: Volume) -> Mask:
    if isinstance(mask, Mask):
        return mask
    if not isinstance(mask, np.ndarray):
        return Mask.from_sitk(mask)
    if mask.shape != volume.hu.shape:
        raise GlutsegError(
            "geometry-mismatch", f"mask of shape {mask.shape}, image of shape {volume.hu.shape}"
        )
    return Mask(mask.astype(np.uint8), volume.geometry)


def _slice_index(level: LevelFound | int) -> int:
    return level.slice_index if isinstance(level, LevelFound) else level
