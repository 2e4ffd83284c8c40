"""Make a study of the headers of its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby

from glutseg.dicom.header_checks import spacing_problem
from glutseg.dicom.model import CT_CLASSES, NIFTI_IMAGE, FileHeader, Series, Study
from glutseg.dicom.nifti_series import nifti_series
from glutseg.dicom.stack import Stack, build_stacks
from glutseg.errors import Flag

Key = tuple[str, ...]
MAX_RATIOS = 3
"""Number of compression ratios listed for one series: every slice may have its own."""


def study_of(headers: list[FileHeader]) -> Study:
    """Return the study of the headers of all its files, in the order of the files."""
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


def _grouped(headers: Iterable[FileHeader], key: Callable[[FileHeader], Key]) -> list[list[FileHeader]]:
    return [list(group) for _, group in groupby(sorted(headers, key=key), key=key)]


def _series_key(header: FileHeader) -> Key:
    return header.series_uid, "" if header.series_uid else header.source.folder


def _most_frequent(values: Iterable[str]) -> str:
    """Return the most frequent value, the first in the alphabet of equals; "" if there is none."""
    counts = Counter(v for v in values if v)
    return min(counts, key=lambda v: (-counts[v], v), default="")


def _parts(headers: list[FileHeader]) -> tuple[Series, ...]:
    """Return the stacks of one series, the largest first."""
    if headers[0].tags.sop_class_uid == NIFTI_IMAGE:
        return (nifti_series(headers),)
    groups = [[s for h in group for s in h.slices] for group in _grouped(headers, _reconstruction_key)]
    stacks = build_stacks(groups)
    return tuple(_part(headers, stack, k, len(stacks)) for k, stack in enumerate(stacks, start=1))


def _part(headers: list[FileHeader], stack: Stack, part: int, n_parts: int) -> Series:
    by_source = {h.source: h for h in headers}
    # the tags of an image that is used, not of a localizer in the same series
    used = [by_source[source] for source in dict.fromkeys(s.source for s in stack.slices)]
    representative = used[0] if used else min(headers, key=lambda h: str(h.source))
    contradiction = spacing_problem(representative.tags, stack.slices[0]) if stack.slices else None
    return Series(
        series_uid=representative.series_uid,
        tags=representative.tags,
        n_files=len(headers),
        n_images=sum(len(h.slices) for h in headers),
        slices=stack.slices,
        grid_indices=stack.grid_indices,
        geometry=None if contradiction else stack.geometry,
        flags=stack.flags + _imageless_flags(headers) + _lossy_flags(used),
        problem=contradiction or stack.problem,
        goes_on_at=stack.goes_on_at,
        part=part,
        n_parts=n_parts,
        is_lossy=any(h.lossy for h in used),
        duplicates=stack.duplicates,
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
