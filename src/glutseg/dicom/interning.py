"""Share equal values between headers, so that an index of millions of files fits into memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from glutseg.dicom.model import FileHeader, SliceHeader

Value = TypeVar("Value")


class HeaderInterner:
    """Replaces equal values in headers by one shared object."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def header(self, header: FileHeader) -> FileHeader:
        """Return an equal header that shares all values which are the same in many slices."""
        return replace(
            header,
            patient_id=self._shared(header.patient_id),
            study_uid=self._shared(header.study_uid),
            study_date=self._shared(header.study_date),
            patient_size_m_raw=self._shared(header.patient_size_m_raw),
            series_uid=self._shared(header.series_uid),
            tags=self._shared(header.tags),
            slices=tuple(self._slice(one) for one in header.slices),
        )

    def _slice(self, one: SliceHeader) -> SliceHeader:
        return replace(
            one,
            sop_class_uid=self._shared(one.sop_class_uid),
            orientation=self._shared(one.orientation),
            pixel_spacing_mm=self._shared(one.pixel_spacing_mm),
            rescale=self._shared(one.rescale),
            padding=self._shared(one.padding),
        )

    def _shared(self, value: Value) -> Value:
        # compared by repr: -0.0 == 0.0 and 1 == 1.0, but the digest of the headers differs
        key = value if isinstance(value, str) else repr(value)
        shared: Value = self._known.setdefault((type(value), key), value)
        return shared
