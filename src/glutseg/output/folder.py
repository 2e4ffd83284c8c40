"""The output folder: whose it is, and how it is emptied."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from glutseg.errors import GlutsegError
from glutseg.output.atomic import TEMP_PREFIX, is_abandoned
from glutseg.output.json_file import read_json
from glutseg.output.layout import (
    CASE_FILES,
    CASE_JSON,
    CASES,
    PAGE_MARK,
    REPORT_HTML,
    REVIEW_PREFIX,
    REVIEW_SUFFIX,
    REVIEWER_JSON,
    RUN_FILES,
    RUN_JSON,
    case_file,
)
from glutseg.output.text import plain
from glutseg.version import __version__

PROGRAM = "glutseg"
"""What ``run.json`` says under "program": the sign that a folder's output is glutseg's."""
RECORD_FORMAT = 4
"""Of run.json and the records beside it; version 0.1 wrote the first, without a number, the second had no
expected errors, the third no checksums."""
PAGE_HEAD_BYTES = 4000


def check(out: Path, *, overwrite: bool = False, resume: bool = False, keep_reviews: bool = False) -> None:
    """Refuse a folder that must not be written to; nothing is changed.

    Raises
    ------
    GlutsegError
        ``output-exists`` when another run's output is there and is neither overwritten nor resumed;
        ``output-foreign`` when files of these names are there that no run of glutseg left;
        ``reviews-present`` when a run that people have reviewed would be overwritten, unless what they
        did is kept.
    """
    taken = [name for name in (*RUN_FILES, CASES) if os.path.lexists(out / name)]
    if taken and not _is_ours(out / RUN_JSON):
        raise GlutsegError("output-foreign", f"there is already {', '.join(taken)}", str(out))
    if taken and not overwrite and not resume:
        raise GlutsegError("output-exists", "there is already a run's output", str(out))
    n_reviews = 0 if resume or keep_reviews else sum(map(len, review_files(out).values()))
    if taken and n_reviews:
        raise GlutsegError("reviews-present", f"there are {n_reviews} reviews of its cases", str(out))


def prepare(out: Path, *, overwrite: bool = False, resume: bool = False, keep_reviews: bool = False) -> None:
    """Make ``out`` ready for a run.

    Other files in the folder stay, reviews and corrected masks among them; with ``overwrite`` the files
    of an earlier run go, and only they; with ``resume`` only what it had begun to write and not finished.

    Raises
    ------
    GlutsegError
        Those of `check`, and ``output-unwritable``.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        check(out, overwrite=overwrite, resume=resume, keep_reviews=keep_reviews)
        if resume:
            sweep(out)
        elif (out / RUN_JSON).exists():
            _remove(out, kept=(REVIEWER_JSON,) if keep_reviews else ())
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(out)) from error


def sweep(out: Path) -> None:
    """Remove what writes that were killed left behind; nothing of it stands under a final name.

    What others are writing now, a reviewer at work for instance, stays.
    """
    for folder in (out, *_case_folders(out)):
        for path in sorted(folder.glob(f"{TEMP_PREFIX}*")):
            _discard(path)


def clear_case(out: Path, case_id: str) -> None:
    """Remove a case's files, its record first: a case is done only where its record is.

    Raises
    ------
    GlutsegError
        ``output-unwritable``.
    """
    try:
        for name in (CASE_JSON, *CASE_FILES):
            (out / case_file(case_id, name)).unlink(missing_ok=True)
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(out)) from error


def read_run_record(out: Path) -> dict[str, Any] | None:
    """What run.json says, in whatever format, or None where there is no run of glutseg."""
    return own_record(out / RUN_JSON)


def run_record(out: Path) -> dict[str, Any]:
    """What run.json says.

    Raises
    ------
    GlutsegError
        ``input-missing`` where no run of glutseg is; ``run-other-version`` as in `check_format`.
    """
    record = read_run_record(out)
    if record is None:
        raise GlutsegError("input-missing", "there is no run of glutseg", str(out))
    check_format(record, out)
    return record


def run_input(out: Path, record: dict[str, Any]) -> Path:
    """The input of a run, from whatever folder it is asked for; it may not be there any more."""
    given, from_run = Path(str(record.get("input"))), str(record.get("input_from_run") or "")
    found = Path(os.path.realpath(out)) / from_run
    if not from_run or not found.exists() or (given.exists() and given.samefile(found)):
        return given
    return Path(os.path.normpath(found))


def check_format(record: dict[str, Any], out: Path) -> None:
    """Refuse the record of a run in a format that this version does not write.

    Raises
    ------
    GlutsegError
        ``run-other-version``.
    """
    if record.get("record_format") == RECORD_FORMAT:
        return
    version = plain(str(record.get("glutseg_version", "")), 20) or "another version"
    message = f"the run was made by glutseg {version}, this is {__version__}: measure again"
    raise GlutsegError("run-other-version", message, str(out))


def case_ids(record: dict[str, Any]) -> tuple[str, ...]:
    """The cases of a run's plan, as run.json names them; none that could lead out of its folder."""
    names = [str(c.get("case_id")) for c in record.get("cases", []) if isinstance(c, dict)]
    return tuple(name for name in names if name not in {"", ".", ".."} and not set(name) & set("/\\\0"))


def is_page(path: Path) -> bool:
    """Whether this is a report that glutseg wrote."""
    try:
        with path.open("rb") as file:
            return PAGE_MARK.encode() in file.read(PAGE_HEAD_BYTES)
    except OSError:
        return False


def _case_folders(out: Path) -> list[Path]:
    cases = out / CASES
    if not cases.is_dir() or cases.is_symlink():
        return []
    return [folder for folder in sorted(cases.iterdir()) if folder.is_dir() and not folder.is_symlink()]


def _is_ours(record: Path) -> bool:
    return own_record(record) is not None


def own_record(path: Path) -> dict[str, Any] | None:
    """A JSON file that glutseg wrote, None where there is none or it is another's."""
    try:
        if path.is_symlink():
            return None
        content = read_json(path)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("program") == PROGRAM else None


def review_files(out: Path) -> dict[str, tuple[Path, ...]]:
    """The reviews of each case that has any, by case id, in the order of their names."""
    found = {}
    for folder in _case_folders(out):
        own = sorted(folder.glob(f"{REVIEW_PREFIX}*{REVIEW_SUFFIX}"))
        if own:
            found[folder.name] = tuple(own)
    return found


def _remove(out: Path, kept: tuple[str, ...] = ()) -> None:
    """run.json goes last: whatever interrupts this, the rest is still known to be glutseg's."""
    for folder in _case_folders(out):
        _remove_files(folder, CASE_FILES)
    if (out / CASES).is_dir() and not (out / CASES).is_symlink():
        _remove_if_empty(out / CASES)
    _remove_files(out, tuple(name for name in RUN_FILES if name not in (RUN_JSON, *kept)), keep_folder=True)
    if is_page(out / REPORT_HTML):  # it would show the numbers of the earlier run
        (out / REPORT_HTML).unlink()
    (out / RUN_JSON).unlink(missing_ok=True)


def _remove_files(folder: Path, names: tuple[str, ...], *, keep_folder: bool = False) -> None:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(TEMP_PREFIX):
            _discard(path)
        elif path.name in names:
            path.unlink()
    if not keep_folder:
        _remove_if_empty(folder)


def _discard(path: Path) -> None:
    """Remove a file that nobody writes any more or, where images came from a server, a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or is_abandoned(path):
        path.unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()
