"""The stages one by one: read, find the level, segment, measure, grow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glutseg import anatomy, dicom, segmentation
from glutseg.api.inputs import Image, MaskLike, as_mask, as_protocol, as_slice_index, as_volume
from glutseg.case import locate
from glutseg.dicom.single import single_series
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Mask, Muscle, Side
from glutseg.measurement import grown, measure_slice, slices_around
from glutseg.protocol import Protocol, SeriesRule, TissueRule
from glutseg.result import Level, SideMeasurement
from glutseg.segmentation import growing


def load(
    path: str | Path,
    protocol: str | Path | Protocol = "femoral-head-top",
    *,
    series_uid: str | None = None,
) -> CtImage:
    """Read the CT series that would be measured of the one study in a folder, or the one that is named.

    Parameters
    ----------
    path : a folder with one study, a zip archive or one file
    protocol : a name, a TOML file or a `Protocol`; its rule for series decides
    series_uid : Series Instance UID of the series to read instead; then there may be several studies

    Returns
    -------
    CtImage
        int16 HU (z, y, x) on the grid of the series; where slices are missing, the longest stretch
        without a gap.

    Raises
    ------
    GlutsegError
        ``input-missing``, ``input-empty``, ``no-usable-series``, or why the series cannot be read;
        ``input-ambiguous`` when there is more than one study; ``series-unknown`` for a UID that is
        nowhere.
    """
    index = dicom.scan(Path(path))
    if series_uid is not None:
        return dicom.read(single_series(index, series_uid)).volume
    rule = as_protocol(protocol).series
    study = one_study(index, rule)
    choice = dicom.choose(study, rule)
    if not choice.candidates:
        reasons = "; ".join(sorted({reason for _, reason in choice.rejected_series}))
        raise GlutsegError("no-usable-series", reasons or "the study has no series", str(path))
    return dicom.read(choice.candidates[0]).volume


def one_study(index: dicom.Index, rule: SeriesRule) -> dicom.Study:
    """The only study of an index.

    Raises
    ------
    GlutsegError
        ``input-empty``, ``input-ambiguous``, ``series-unknown``.
    """
    studies, where = index.studies, str(index.root)
    if not studies:
        raise GlutsegError("input-empty", "no DICOM image was found", where)
    if len(studies) > 1:
        raise GlutsegError("input-ambiguous", f"{len(studies)} studies lie here, expected one", where)
    dicom.check_asked(index, rule)
    return studies[0]


def find_level(image: Image, protocol: str | Path | Protocol = "femoral-head-top") -> Level:
    """Find the axial slice to measure.

    Parameters
    ----------
    image : CT of the pelvis, `CtImage` or SimpleITK image in HU
    protocol : a name, a TOML file or a `Protocol`; or a level as on the command line: a landmark,
        ``z=MM`` or ``slice=N``

    Returns
    -------
    Level
        ``slice_index`` in the order of ``image``, ``z_mm`` of that slice's middle, the landmarks it
        rests on (LPS, mm).

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``landmark-not-found``, ``level-outside``.
    """
    return locate(as_volume(image), as_protocol(protocol).level)


def segment(
    image: Image,
    level: Level | int,
    *,
    reach_mm: float = 15.0,
    whole_muscle: bool = False,
    muscles: tuple[Muscle, ...] = ("maximus",),
) -> Mask:
    """Segment both gluteus maximus muscles around a level, or from end to end.

    Parameters
    ----------
    image : CT of the pelvis, `CtImage` or SimpleITK image in HU
    level : from `find_level`, or a slice's index in the order of ``image``
    reach_mm : how far above and below the level is segmented
    whole_muscle : go on from there to the muscles' ends
    muscles : ``("maximus", "medius", "minimus")`` or fewer, the first always

    Returns
    -------
    Mask
        On the grid of ``image``; 1 left, 2 right, and further labels as in `glutseg.image.LABELS`.

    Raises
    ------
    GlutsegError
        ``hips-not-found``, ``muscle-not-found``.
    """
    volume = as_volume(image)
    canonical = volume.canonical()
    k = volume.geometry.canonical_slice(as_slice_index(level))
    around = slices_around(canonical.geometry, k, reach_mm)
    found = anatomy.find_anatomy(canonical)
    segmented = segmentation.segment(canonical, found, around, whole=whole_muscle, muscles=muscles)
    return segmented.mask.restored(volume.geometry)


def measure(
    image: Image,
    mask: MaskLike,
    level: Level | int,
    tissue: TissueRule | None = None,
    *,
    muscle: Muscle = "maximus",
) -> dict[Side, SideMeasurement]:
    """Measure a mask, of glutseg or of anybody, on one slice.

    Parameters
    ----------
    image : CT, `CtImage` or SimpleITK image in HU
    mask : `Mask`, SimpleITK image or array (z, y, x) on the same grid; 1 left, 2 right, and further
        labels as in `glutseg.image.LABELS`
    level : from `find_level`, or a slice's index in the order of ``image``
    tissue : HU windows; those of Aubrey 2014 (PMID 24393306) by default
    muscle : which of the three glutei

    Returns
    -------
    dict
        "left" and "right": areas in mm², densities in HU; NaN for a side without a pixel.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` when image and mask are on different grids; ``labels-unknown`` for a mask
        of truth values or fractions; ``level-outside``.

    Examples
    --------
    A block of 4 by 5 pixels of 1.5 mm² on the left:

    >>> import numpy as np
    >>> from glutseg import Geometry, CtImage, measure
    >>> volume = CtImage(np.full((3, 8, 10), 50, np.int16), Geometry((3, 8, 10), (5.0, 1.0, 1.5)))
    >>> mask = np.zeros((3, 8, 10), int)
    >>> mask[1, 2:6, 4:9] = 1
    >>> sides = measure(volume, mask, 1)
    >>> sides["left"].area_mm2, sides["left"].mean_hu
    (30.0, 50.0)
    >>> sides["right"].area_mm2
    nan
    """
    volume = as_volume(image)
    return measure_slice(volume, as_mask(mask, volume), as_slice_index(level), tissue or TissueRule(), muscle)


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
    image : CT, `CtImage` or SimpleITK image in HU
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

    Examples
    --------
    >>> import numpy as np
    >>> from glutseg import Geometry, CtImage, grow
    >>> hu = np.full((1, 8, 10), -100, np.int16)
    >>> hu[0, 2:6, 4:9] = 50
    >>> region = grow(CtImage(hu, Geometry((1, 8, 10), (5.0, 1.0, 1.5))), (5, 3, 0), interval_hu=100)
    >>> region.readout.area_mm2, region.readout.mean_hu
    (30.0, 50.0)
    """
    settings = growing.parse_settings(method, **parameters)
    volume = as_volume(image)
    placed = growing.place_seed(seed, volume.geometry, z_mm)
    mask = growing.grow_region(volume, placed, settings, is_3d=is_3d)
    return grown.read_out(volume, mask, placed, settings, is_3d=is_3d)
