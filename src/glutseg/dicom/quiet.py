"""Libraries without their warnings: they would carry text of the files, unescaped, to the screen."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile

from pydicom.config import disable_value_validation

MAX_HEARD_BYTES = 10_000
"""Of what a library wrote: its first complaint tells."""


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Neither validate, warn nor log: every value is judged where it is used, every failure named there."""
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
def heard_stderr() -> Iterator[Callable[[], bytes]]:
    """Keep from the screen what C libraries write to the process's standard error; keep the block short.

    Yields
    ------
    function
        Gives what has been written so far.
    """
    with ExitStack() as cleanup:
        heard = cleanup.enter_context(TemporaryFile())
        try:
            kept = os.dup(2)
        except OSError:  # closed, as in a service: nothing can be written there anyway
            yield lambda: b""
            return
        cleanup.callback(os.close, kept)
        cleanup.callback(os.dup2, kept, 2)
        os.dup2(heard.fileno(), 2)

        def so_far() -> bytes:
            heard.seek(0)
            return heard.read(MAX_HEARD_BYTES)

        yield so_far
