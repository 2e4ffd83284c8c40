"""A grown region as JSON and as a mask file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from glutseg.errors import Flag, GlutsegError
from glutseg.measurement.grown import GrownRegion
from glutseg.output.atomic import write_bytes
from glutseg.output.case_files import nifti_gz, to_json
from glutseg.version import __version__

SUFFIX = ".nii.gz"


def check_mask_file(path: Path | None, *, overwrite: bool) -> None:
    """Refuse before anything is read.

    Raises
    ------
    GlutsegError
        ``output-unwritable`` for a name that is no compressed NIfTI's or a folder's, ``output-exists``.
    """
    if path is None:
        return
    if not path.name.endswith(SUFFIX) or path.is_dir():
        raise GlutsegError("output-unwritable", f"the mask is a file whose name ends in {SUFFIX}", str(path))
    if path.exists() and not overwrite:
        raise GlutsegError("output-exists", "the mask's file exists", str(path))


def write_mask(path: Path, region: GrownRegion) -> None:
    """The mask in the geometry of the series, atomically.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    write_bytes(path, nifti_gz(region.mask))


def grown_json(region: GrownRegion, series_uid: str, flags: Sequence[Flag], mask_file: Path | None) -> str:
    """Everything about a region in ASCII, so that every control character is escaped.

    Unknown figures are null; ``slices`` has one entry per slice that the region touches.
    """
    stored, seed = region.mask.stored, region.stored_seed
    record = {
        "glutseg_version": __version__,
        "series_uid": series_uid,
        "flags": [{"code": f.code, "severity": f.severity, "message": f.message} for f in flags],
        "seed": {
            **seed._asdict(),
            "z_mm": stored.slice_z_mm(seed.z),
            "value_hu": region.seed_hu,
        },
        "settings": region.settings.model_dump(),
        "mode": "3d" if region.is_3d else "2d",
        "readout": dataclasses.asdict(region.readout),
        "slices": [
            {"z": place, "z_mm": stored.slice_z_mm(place), **dataclasses.asdict(readout)}
            for place, readout in region.stored_slices.items()
        ],
        "mask": None if mask_file is None else str(mask_file),
    }
    return json.dumps(to_json(record), indent=1, allow_nan=False)
