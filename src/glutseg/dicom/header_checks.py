"""What a header gives away: that it contradicts itself, or that its images are no ordinary CT of a person."""

from __future__ import annotations

import re

from glutseg.dicom.grid import TILT_REVIEW_DEGREES
from glutseg.dicom.model import MEASURED_CLASSES, NIFTI_IMAGE, Series, SeriesProblem, SeriesTags, SliceHeader
from glutseg.errors import Flag

MAX_SPACING_SHARE = 0.05
"""By so much pixel spacing and field of view may differ: 5 % of a length are 10 % of an area."""
UNCERTAIN_SPACING_SHARE = 0.01
"""From here on they ask for a look. Chosen: both are written with three digits or more."""
MAX_ASPECT_SHARE = 0.02
"""By so much the ratio of the two pixel spacings may differ from Pixel Aspect Ratio. Chosen."""
MAX_CODE_LENGTH = 5
"""Of a modality (PS3.3, C.7.3.1.1.1); a longer text is none, and may be anything."""
TILT_TOLERANCE_DEGREES = 1.0
"""By so much the tilt of the gantry may differ from that of the slices. Chosen: it is written in half degrees
or finer."""

_CONE_BEAM = "cone-beam CT, whose HU are not calibrated"
_OF_TEXT = {
    _CONE_BEAM: re.compile(r"\bCBCT|CONE.?BEAM|\bDYNA.?CT\b|\bXPER.?CT\b"),
    "computed from dual-energy CT, in which fat and muscle have other HU": re.compile(
        r"\bVNC(?:A)?\b|VIRTUAL.(?:NON|UNENH|MONO)|MONO(?:ENERG|.?E\b|CHROMATIC)|\bMONO ?\+|\bVMI\b"
        r"|\b\d{2,3} ?KEV\b|IODINE.?(?:MAP|\(|NO.WATER|DENS|OVERLAY)|\bZ.?EFF|\bEFF\w*.?Z\b|EFF.ATOMIC"
        r"|ELECTRON.DENS|\bRHO.?Z\b|MATERIAL.DENS|\bMAT.(?:SPECIFIC|REMOVED|FRACTIONAL|MODIFIED)"
    ),
    "a projection through several slices": re.compile(
        r"\bMAX.?IP\b|\bMIP\b|\bMIN.?IP\b|MAXIMUM.INTENS|MINIMUM.INTENS|VOLUME.RENDER|\bVRT\b"
    ),
}
"""What texts of the header name, in capitals and with blanks for underscores: terms of PS3.3 (C.8.15.3.1.1)
and words that scanners write."""
_CONE_BEAM_MODEL = re.compile(r"ON.BOARD.IMAGER|\bOBI\b|\bXVI\b|\bO.ARM\b|\bARTIS\b|\bVERITY\b|\bONSIGHT\b")
_ATTENUATION = re.compile(r"\bCT.?AC\b|\bAC.?CT\b|\bWB.?AC\b|ATTENUATION.?CORR")


def spacing_problem(tags: SeriesTags, header: SliceHeader) -> SeriesProblem | None:
    """``spacing-contradicted`` where Reconstruction Diameter and pixel spacing exclude each other."""
    share = _spacing_difference(tags, header)
    if abs(share) <= MAX_SPACING_SHARE:
        return None
    return SeriesProblem("spacing-contradicted", _both_widths(tags, header, share))


def header_flags(series: Series) -> tuple[Flag, ...]:
    """``spacing-uncertain``, ``gantry-tilt-contradicted``, ``header-unusual``, ``attenuation-ct``."""
    if series.sop_class_uid == NIFTI_IMAGE or not series.slices:
        return ()
    return (*_spacing_flags(series), *_tilt_flags(series), *_kind_flags(series))


def unusual_kind(series: Series) -> str:
    """What the header says that the images are, other than ordinary CT slices of a person; "" if nothing."""
    tags = series.tags
    if series.sop_class_uid not in MEASURED_CLASSES or series.sop_class_uid == NIFTI_IMAGE:
        return ""
    if tags.modality not in ("CT", ""):
        is_code = len(tags.modality) <= MAX_CODE_LENGTH and tags.modality.isalnum()
        return f"Modality is {tags.modality if is_code else 'another one'}, not CT"
    if tags.orientation_type == "QUADRUPED":
        return "Anatomical Orientation Type is QUADRUPED: an animal, whose sides are named otherwise"
    texts = {
        "Series Description": series.description,
        "Image Type": " ".join(series.image_type[2:]),
        "Volume Based Calculation Technique": tags.calculation_technique,
    }
    for name, text in texts.items():
        for kind, pattern in _OF_TEXT.items():
            if hit := pattern.search(_words(text)):
                return f"{name} holds {hit.group()}: {kind}"
    hit = _CONE_BEAM_MODEL.search(_words(tags.model_name))
    return f"Manufacturer's Model Name holds {hit.group()}: {_CONE_BEAM}" if hit else ""


def _words(text: str) -> str:
    return text.upper().replace("_", " ")


def _spacing_difference(tags: SeriesTags, header: SliceHeader) -> float:
    """By what share the width of the image exceeds Reconstruction Diameter; 0 where they need not agree.

    They agree in square images as the scanner made them. One that was cropped or resampled is DERIVED, and
    keeps the diameter of its source.
    """
    diameter_mm, spacing_mm = tags.reconstruction_diameter_mm, header.pixel_spacing_mm
    if not diameter_mm or diameter_mm <= 0 or spacing_mm is None or header.rows != header.columns:
        return 0.0
    if tags.image_type[:1] != ("ORIGINAL",):
        return 0.0
    shares = (spacing * header.columns / diameter_mm - 1 for spacing in spacing_mm)
    return max(shares, key=abs)


def _both_widths(tags: SeriesTags, header: SliceHeader, share: float) -> str:
    spacing_mm = " x ".join(f"{spacing:.4g}" for spacing in header.pixel_spacing_mm or ())
    width_mm = (1 + share) * (tags.reconstruction_diameter_mm or 0.0)
    return (
        f"{header.columns} pixels of {spacing_mm} mm make {width_mm:.0f} mm, but Reconstruction Diameter is "
        f"{tags.reconstruction_diameter_mm:.0f} mm: {share:+.0%}"
    )


def _spacing_flags(series: Series) -> tuple[Flag, ...]:
    tags, header = series.tags, series.slices[0]
    share = _spacing_difference(tags, header)
    if abs(share) > UNCERTAIN_SPACING_SHARE:
        return (Flag("spacing-uncertain", _both_widths(tags, header, share)),)
    ratio, spacing_mm = tags.aspect_ratio, header.pixel_spacing_mm
    if ratio is None or spacing_mm is None or min(ratio) <= 0:
        return ()
    stated, spaced = ratio[0] / ratio[1], spacing_mm[0] / spacing_mm[1]
    if abs(stated / spaced - 1) <= MAX_ASPECT_SHARE:
        return ()
    message = f"Pixel Aspect Ratio is {ratio[0]:g}:{ratio[1]:g}, that of Pixel Spacing {spaced:.3f}"
    return (Flag("spacing-uncertain", message),)


def _tilt_flags(series: Series) -> tuple[Flag, ...]:
    """The gantry was tilted, and neither orientation nor positions of the slices are."""
    tilt, geometry = abs(series.tags.gantry_tilt_degrees or 0.0), series.geometry
    if geometry is None or not geometry.is_axial or not TILT_REVIEW_DEGREES <= tilt < 90:
        return ()
    is_known = any(flag.code == "gantry-tilt" for flag in series.flags)
    if is_known or geometry.tilt_degrees >= tilt - TILT_TOLERANCE_DEGREES:
        return ()
    message = (
        f"Gantry Detector Tilt is {tilt:g} degrees, the slices are tilted by {geometry.tilt_degrees:.1f} as "
        "their orientation and positions say"
    )
    return (Flag("gantry-tilt-contradicted", message),)


def _kind_flags(series: Series) -> tuple[Flag, ...]:
    if kind := unusual_kind(series):
        return (Flag("header-unusual", kind),)
    if hit := _ATTENUATION.search(_words(series.description)):
        return (Flag("attenuation-ct", f"Series Description holds {hit.group()}"),)
    return ()
