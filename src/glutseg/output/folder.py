"""The output folder: whose it is, and how it is emptied."""

from __future__ import annotations

import json
import os
from pathlib import Path

from glutseg.errors import GlutsegError
from glutseg.output.atomic import TEMP_PREFIX
from glutseg.output.layout import CASE_FILES, CASES, RUN_FILES, RUN_JSON

PROGRAM = "glutseg"
"""What ``run.json`` says under "program": the sign that a folder's output is glutseg's."""
MAX_RECORD_BYTES = 200_000_000


def check(out: Path, *, overwrite: bool = False) -> None:
    """Refuse a folder that must not be written to; nothing is changed.

    Raises
    ------
    GlutsegError
        ``output-exists`` when another run's output is there and ``overwrite`` is false;
        ``output-foreign`` when files of these names are there that no run of glutseg left.
    """
    taken = [name for name in (*RUN_FILES, CASES) if os.path.lexists(out / name)]
    if taken and not _is_ours(out / RUN_JSON):
        raise GlutsegError("output-foreign", f"there is already {', '.join(taken)}", str(out))
    if taken and not overwrite:
        raise GlutsegError("output-exists", "there is already a run's output", str(out))


def prepare(out: Path, *, overwrite: bool = False) -> None:
    """Make ``out`` ready for a run.

    Other files in the folder stay; with ``overwrite`` the files of an earlier run go, and only they.

    Raises
    ------
    GlutsegError
        Those of `check`, and ``output-unwritable``.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        check(out, overwrite=overwrite)
        if (out / RUN_JSON).exists():
            _remove(out)
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(out)) from error


def _is_ours(record: Path) -> bool:
    try:
        if record.is_symlink() or record.stat().st_size > MAX_RECORD_BYTES:
            return False
        content = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("program") == PROGRAM


def _remove(out: Path) -> None:
    """run.json goes last: whatever interrupts this, the rest is still known to be glutseg's."""
    cases = out / CASES
    if cases.is_dir() and not cases.is_symlink():
        for folder in sorted(cases.iterdir()):
            if folder.is_dir() and not folder.is_symlink():
                _remove_files(folder, CASE_FILES)
        _remove_if_empty(cases)
    _remove_files(out, tuple(name for name in RUN_FILES if name != RUN_JSON), keep_folder=True)
    (out / RUN_JSON).unlink(missing_ok=True)


def _remove_files(folder: Path, names: tuple[str, ...], *, keep_folder: bool = False) -> None:
    for path in sorted(folder.iterdir()):
        if path.name in names or path.name.startswith(TEMP_PREFIX):
            path.unlink()
    if not keep_folder:
        _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()
