"""The files of a study on their way into the system's memory before they are read."""

from __future__ import annotations

import os
from contextlib import suppress

from glutseg.dicom.choose import choose
from glutseg.dicom.model import Study
from glutseg.protocol import SeriesRule


def read_ahead(study: Study, rule: SeriesRule) -> None:
    """Ask the system to read the files of the series that is tried first, and do not wait.

    Does nothing where the system cannot be asked (only Linux can), and for archives.
    """
    if not hasattr(os, "posix_fadvise"):
        return
    for series in choose(study, rule).candidates[:1]:
        for path in {header.source.path: None for header in series.slices if header.source.position is None}:
            with suppress(OSError):  # whoever reads the file reports it
                file = os.open(path, os.O_RDONLY)
                try:
                    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_WILLNEED)
                finally:
                    os.close(file)
