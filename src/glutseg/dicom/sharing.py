"""One object for what many headers say alike: an index of millions of files must fit into memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from glutseg.dicom.model import FileHeader, SliceHeader

Value = TypeVar("Value")


class Sharing:
    """Remembers every value seen once; equal headers come out, made of shared parts."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def header(self, header: FileHeader) -> FileHeader:
        """An equal header whose parts that do not differ from slice to slice are shared."""
        return replace(
            header,
            patient_id=self._one(header.patient_id),
            study_uid=self._one(header.study_uid),
            study_date=self._one(header.study_date),
            patient_size_m_raw=self._one(header.patient_size_m_raw),
            series_uid=self._one(header.series_uid),
            tags=self._one(header.tags),
            slices=tuple(self._slice(one) for one in header.slices),
        )

    def _slice(self, one: SliceHeader) -> SliceHeader:
        return replace(
            one,
            sop_class_uid=self._one(one.sop_class_uid),
            orientation=self._one(one.orientation),
            pixel_spacing_mm=self._one(one.pixel_spacing_mm),
            rescale=self._one(one.rescale),
            padding=self._one(one.padding),
        )

    def _one(self, value: Value) -> Value:
        # by its text, for -0.0 equals 0.0 and 1 equals 1.0, and a digest of the headers tells them apart
        key = value if isinstance(value, str) else repr(value)
        shared: Value = self._known.setdefault((type(value), key), value)
        return shared
