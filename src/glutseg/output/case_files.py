"""A case's folder: mask, picture and record."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from glutseg.errors import Flag, catalogue
from glutseg.image import CtImage, Mask
from glutseg.output.atomic import write_bytes, write_text
from glutseg.output.checksum import FileSum, with_checksum
from glutseg.output.layout import CASE_JSON, MASK, MASK_NRRD, OTHER_OUTLINES, OVERLAY, case_file
from glutseg.output.schema import CaseRow, measurement_columns
from glutseg.output.sheared import nrrd
from glutseg.output.text import plain
from glutseg.protocol import Protocol, concise
from glutseg.result import CaseResult
from glutseg.version import __version__

if TYPE_CHECKING:
    from glutseg.output.other_outline import OtherOutlines

OWN_FORM = ("error_code", "error_message", "traceback", "rejected_series", "seconds")
"""Fields of a result that case.json holds in a form of its own, or, as times, not at all."""


def write_case(
    out: Path,
    result: CaseResult,
    protocol: Protocol,
    image: CtImage | None = None,
    mask: Mask | None = None,
    input_sha256: str = "",
    *,
    other_outlines: OtherOutlines | None = None,
) -> CaseRow:
    """Write ``cases/CASE_ID/`` below ``out``; case.json last, so that where it is the rest is.

    Parameters
    ----------
    image, mask : without a mask there is no mask.nii.gz, without an image or a level no overlay.png
    input_sha256 : by which a later run knows the same input (`glutseg.batch.plan`)
    other_outlines : drawn thin in overlay.png where they differ from the mask, and kept for the viewer

    Returns
    -------
    CaseRow
        The row of measurements.csv, naming the files that were written.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    row = CaseRow(result, protocol.name)
    files: dict[str, FileSum] = {}

    def write(name: str, content: bytes) -> None:
        write_bytes(out / case_file(result.case_id, name), content)
        files[name] = FileSum.of(content)

    if mask is not None:
        row = dataclasses.replace(row, mask=case_file(result.case_id, MASK))
        write(MASK, nifti_gz(mask))
        if mask.stored.is_sheared:
            write(MASK_NRRD, nrrd(mask))
    if image is not None and result.level is not None:
        row = dataclasses.replace(row, overlay=case_file(result.case_id, OVERLAY))
        from glutseg.output.overlay import draw_overlay

        write(OVERLAY, draw_overlay(image, mask, result, other_outlines or {}))
        if other_outlines:
            from glutseg.output.other_outline import others_on_slice

            others = others_on_slice(image, result.level.slice_index, other_outlines)
            write(OTHER_OUTLINES, nifti_gz(others))
    write_text(out / case_file(result.case_id, CASE_JSON), case_json(row, protocol, input_sha256, files))
    return row


def nifti_gz(mask: Mask, extension: bytes = b"") -> bytes:
    """The mask in the order of its files as compressed NIfTI-1; equal masks are equal bytes.

    Parameters
    ----------
    extension : lies between the header and the voxels
    """
    from glutseg.output import nifti

    return nifti.nifti_gz(mask.stored_labels(), mask.stored, extension)


def case_json(
    row: CaseRow,
    protocol: Protocol,
    input_sha256: str = "",
    files: Mapping[str, FileSum] = MappingProxyType({}),
) -> str:
    """Everything known of a case; no time of day in it, so that equal runs give equal bytes.

    It is the case's entry in the ledger: `glutseg.output.ledger.read_case` makes the row from it again.
    Every field of the result stands under its own name, except those of `OWN_FORM`. ``files`` are those
    beside the record, by name.
    """
    result = row.result
    columns = measurement_columns(protocol.extent)
    record = {
        "case_id": result.case_id,
        "glutseg_version": __version__,
        "input_sha256": input_sha256,
        "protocol": concise(protocol),
        "mask": row.mask,
        "overlay": row.overlay,
        "files": {name: dataclasses.asdict(file) for name, file in files.items()},
        "table_row": {column.name: column.value(row) for column in columns},
        "all_flags": [_flag(flag) for flag in result.all_flags],
        "error": _error(result),
        "rejected_series": [{"series_uid": u, "reason": why} for u, why in result.rejected_series],
    }
    fields = dataclasses.asdict(result)
    record |= {name: value for name, value in fields.items() if name not in OWN_FORM}
    return json.dumps(with_checksum(to_json(record)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_json(value: Any) -> Any:
    """Plain JSON values: NaN becomes null, texts lose control characters."""
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _flag(flag: Flag) -> dict[str, str]:
    return {
        "code": flag.code,
        "side": flag.side,
        "severity": flag.severity,
        "message": flag.message,
        "meaning": flag.meaning,
        "remedy": flag.remedy,
    }


def _error(result: CaseResult) -> dict[str, str | list[str]] | None:
    if not result.error_code:
        return None
    code = catalogue()[result.error_code]
    return {
        "code": result.error_code,
        "message": result.error_message,
        "meaning": code.meaning,
        "remedy": code.remedy,
        "traceback": result.traceback.splitlines(),
    }
