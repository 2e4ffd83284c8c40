"""Suppress warnings of libraries, which would print unescaped text of the files."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile

from pydicom.config import disable_value_validation

MAX_CAPTURED_BYTES = 10_000
"""Limit of bytes kept of a library's output: the first warning is enough."""


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Switch off validation, warnings and logging: values are checked where they are used."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def captured_stderr() -> Iterator[Callable[[], bytes]]:
    """Capture what C libraries write to the standard error of the process; keep the block short.

    Yields
    ------
    function
        Returns what has been written so far.
    """
    with ExitStack() as cleanup:
        captured = cleanup.enter_context(TemporaryFile())
        try:
            original = os.dup(2)
        except OSError:  # closed, as in a service: nothing can be written to it
            yield lambda: b""
            return
        cleanup.callback(os.close, original)
        cleanup.callback(os.dup2, original, 2)
        os.dup2(captured.fileno(), 2)

        def so_far() -> bytes:
            captured.seek(0)
            return captured.read(MAX_CAPTURED_BYTES)

        yield so_far
