"""An upper limit to the time that something takes which waits on a stranger."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


class TooSlowError(Exception):
    """It was not done within its time."""


def within(seconds: float, work: Callable[[], Value]) -> Value:
    """What ``work`` returns or raises, if it does so in time.

    A thread of its own waits, since a server that sends a byte now and then never meets a time-out of the
    socket. One that is too late is left alone and ends with the program.

    Raises
    ------
    TooSlowError
    """
    values: list[Value] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            values.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not values:
        raise TooSlowError
    return values[0]
