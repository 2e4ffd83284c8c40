"""pydicom without its warnings: they would carry text of the files, unescaped, to the screen."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.config import disable_value_validation


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Neither validate nor warn: every value is judged where it is used."""
    with warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        yield
