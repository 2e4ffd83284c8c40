"""Index the studies and series below a folder, without reading pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

from glutseg.dicom.files import list_files
from glutseg.dicom.header import HeaderReader
from glutseg.dicom.model import CT_CLASSES, FileHeader, FileProblem, Index, Series, Study
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.dicom.source import Opener
from glutseg.dicom.stack import Stack, build_stacks
from glutseg.errors import Flag, GlutsegError

Key = tuple[str, ...]
MAX_RATIOS = 3
"""Number of compression ratios listed for one series: every slice may have its own."""


def scan(input: Path, *, progress: Callable[[int, int], None] | None = None) -> Index:  # noqa: A002
    """Index every DICOM file below a folder, in a zip archive, or one file.

    Parameters
    ----------
    input : a folder of any depth, a file, or a zip archive; file names and extensions do not matter.
        A ``DICOMDIR`` stands for its folder.
    progress : called with (number of files read, total number)

    Returns
    -------
    Index
        The same for the same files, whatever their order on disk. Files that are not DICOM are
        counted, files that cannot be read are in ``problems``; ``studies`` may be empty.

    Raises
    ------
    GlutsegError
        ``input-missing`` if the path does not exist.
    """
    if not input.exists():
        raise GlutsegError("input-missing", "there is no such file or folder", str(input))
    headers: list[FileHeader] = []
    with quiet_pydicom(), Opener() as opener:
        reader = HeaderReader(opener)
        files, problems = list_files(input, opener)
        unread: list[FileProblem] = list(problems)
        for n_read, source in enumerate(files, start=1):
            found = reader.read(source)
            if isinstance(found, FileHeader):
                headers.append(found)
            elif found is not None:
                unread.append(found)
            if progress:
                progress(n_read, len(files))
    return Index(
        root=input,
        studies=tuple(_study(group) for group in _grouped(headers, _study_key)),
        problems=tuple(unread),
        n_files=len(files),
        n_other_files=len(files) - len(headers) - (len(unread) - len(problems)),
    )


def _study_key(header: FileHeader) -> Key:
    """Group by patient and study; files without a study UID are grouped by folder."""
    return header.patient_id, header.study_uid, "" if header.study_uid else header.source.folder


def _series_key(header: FileHeader) -> Key:
    return header.series_uid, "" if header.series_uid else header.source.folder


def _grouped(headers: Iterable[FileHeader], key: Callable[[FileHeader], Key]) -> list[list[FileHeader]]:
    return [list(group) for _, group in groupby(sorted(headers, key=key), key=key)]


def _study(headers: list[FileHeader]) -> Study:
    first = headers[0]
    missing = sum(not (h.study_uid and h.series_uid) for h in headers)
    message = f"{missing} files have no study or series UID and were grouped by folder"
    return Study(
        study_uid=first.study_uid,
        patient_id=first.patient_id,
        study_date=_most_frequent(h.study_date for h in headers),
        patient_size_m_raw=_most_frequent(h.patient_size_m_raw for h in headers),
        series=tuple(part for group in _grouped(headers, _series_key) for part in _parts(group)),
        flags=(Flag("uid-missing", message),) if missing else (),
    )


def _most_frequent(values: Iterable[str]) -> str:
    """Return the most frequent value, the first in the alphabet of equals; "" if there is none."""
    counts = Counter(v for v in values if v)
    return min(counts, key=lambda v: (-counts[v], v), default="")


def _parts(headers: list[FileHeader]) -> tuple[Series, ...]:
    """Return the stacks of one series, the largest first."""
    groups = [[s for h in group for s in h.slices] for group in _grouped(headers, _reconstruction_key)]
    stacks = build_stacks(groups)
    return tuple(_part(headers, stack, k, len(stacks)) for k, stack in enumerate(stacks, start=1))


def _part(headers: list[FileHeader], stack: Stack, part: int, n_parts: int) -> Series:
    by_source = {h.source: h for h in headers}
    # the tags of an image that is used, not of a localizer in the same series
    used = [by_source[source] for source in dict.fromkeys(s.source for s in stack.slices)]
    representative = used[0] if used else min(headers, key=lambda h: str(h.source))
    return Series(
        series_uid=representative.series_uid,
        tags=representative.tags,
        n_files=len(headers),
        n_images=sum(len(h.slices) for h in headers),
        slices=stack.slices,
        grid_indices=stack.grid_indices,
        geometry=stack.geometry,
        flags=stack.flags + _imageless_flags(headers) + _lossy_flags(used),
        problem=stack.problem,
        part=part,
        n_parts=n_parts,
        is_lossy=any(h.lossy for h in used),
    )


def _imageless_flags(headers: list[FileHeader]) -> tuple[Flag, ...]:
    """Flag CT files without an image description, which are truncated or damaged."""
    n = sum(not h.slices and (h.tags.sop_class_uid in CT_CLASSES or h.tags.modality == "CT") for h in headers)
    return (Flag("file-unreadable", f"{n} CT files describe no image"),) if n else ()


def _lossy_flags(headers: Iterable[FileHeader]) -> tuple[Flag, ...]:
    ratios = sorted({h.lossy for h in headers if h.lossy})
    more = " …" if len(ratios) > MAX_RATIOS else ""
    message = f"lossy compression: {'; '.join(ratios[:MAX_RATIOS])}{more}"
    return (Flag("lossy-compressed", message),) if ratios else ()


def _reconstruction_key(header: FileHeader) -> Key:
    """Distinguish reconstructions with the same series UID, which are never stacked together."""
    tags = header.tags
    thickness = "" if tags.slice_thickness_mm is None else f"{tags.slice_thickness_mm:.2f}"
    return tags.kernel, "\\".join(tags.image_type), thickness, tags.rescale_type
