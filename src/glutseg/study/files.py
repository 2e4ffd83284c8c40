"""The files of a study: made in memory first, so that an error leaves nothing half-written."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from glutseg.errors import GlutsegError
from glutseg.output.atomic import TEMP_PREFIX, write_bytes
from glutseg.output.folder import PROGRAM, own_record
from glutseg.output.text import safe_cell

SIGNIFICANT_DIGITS = 6
WRITING = "writing"
"""State of a record while the files beside it are written."""


def rounded(value: object) -> object:
    """Floats with 6 significant digits, None where not finite; mappings and sequences likewise."""
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0 if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): rounded(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [rounded(one) for one in value]
    return value


def csv_bytes(rows: Sequence[Mapping[str, object]], columns: Sequence[str] = ()) -> bytes:
    """A table in UTF-8; unknowns are empty, texts cannot act as formulas; ``columns`` where rows may lack."""
    names = list(columns) or list(rows[0] if rows else {})
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in names])
    for row in rows:
        cells = [rounded(row.get(name)) for name in names]
        writer.writerow(["" if c is None else safe_cell(c) if isinstance(c, str) else c for c in cells])
    return text.getvalue().encode("utf-8", "replace")


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8, without NaN."""
    text = json.dumps(rounded(content), indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8", "replace")


def check_folder(folder: Path, record: str, names: Sequence[str], *, overwrite: bool = False) -> None:
    """Refuse a folder that must not be written to; nothing is changed. What was left unfinished is no result.

    Parameters
    ----------
    record : name of the JSON file by which a folder's files are known as glutseg's (``"program"``)
    names : of the files and folders that will be written

    Raises
    ------
    GlutsegError
        ``output-exists`` when files of these names are glutseg's and ``overwrite`` is not asked for;
        ``output-foreign`` when they are not.
    """
    taken = [name for name in (*names, record) if os.path.lexists(folder / name)]
    known = own_record(folder / record)
    if taken and known is None:
        raise GlutsegError("output-foreign", f"there is already {', '.join(sorted(set(taken)))}", str(folder))
    if taken and not overwrite and (known or {}).get("state") != WRITING:
        raise GlutsegError("output-exists", f"there is already {record}", str(folder))


def write_files(folder: Path, record: str, files: Mapping[str, bytes]) -> None:
    """Write ready-made files, the record last; where that fails none of them stays.

    Files of an earlier result go first; nothing else is touched. While files are written the record says
    so (``"state": "writing"``): what a killed program left is known as glutseg's, and is replaced.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    earlier = _files_of(folder / record)
    marker = {"program": PROGRAM, "state": WRITING, "files": sorted(earlier | set(files))}
    try:
        write_bytes(folder / record, json_bytes(marker))
        _remove(folder, earlier - set(files))
        for name in sorted(files, key=lambda n: (n == record, n)):
            write_bytes(folder / name, files[name])
    except GlutsegError:
        _remove(folder, {*files, record})
        raise


def _remove(folder: Path, names: Collection[str]) -> None:
    try:
        for name in sorted(names):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(folder)) from error


def _files_of(record: Path) -> set[str]:
    """The files that a record lists; only plain names below its folder are accepted."""
    listed = (own_record(record) or {}).get("files", [])
    names = [n for n in listed if isinstance(n, str)] if isinstance(listed, list) else []
    plain = {n for n in names if not n.startswith(("/", TEMP_PREFIX)) and "\\" not in n and ":" not in n}
    return {n for n in plain if n and ".." not in n.split("/")}
