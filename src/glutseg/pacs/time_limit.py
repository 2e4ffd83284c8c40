"""Run a function with a time limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


class TimeLimitError(Exception):
    """The function did not return within the time limit."""


def run_with_time_limit(seconds: float, work: Callable[[], Value]) -> Value:
    """Return what ``work`` returns, or raise what it raises, within the time limit.

    It runs in a thread, because a server that sends single bytes never exceeds the socket's timeout. A thread
    that is too late is abandoned and ends with the program.

    Raises
    ------
    TimeLimitError
    """
    values: list[Value] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            values.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not values:
        raise TimeLimitError
    return values[0]
