"""Start processes from any script, also one that does not guard its main part; none outlives its parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_main_module() -> Iterator[None]:
    """Hide the ``__main__`` module: a spawned process would run the caller's script again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def exit_with_parent(*, and_group: bool = False) -> None:
    """Let this process exit when its parent dies, in the middle of whatever it does.

    Parameters
    ----------
    and_group : kill its process group as well (POSIX)
    """
    threading.Thread(target=_wait_for_parent, kwargs={"and_group": and_group}, daemon=True).start()


def _wait_for_parent(*, and_group: bool) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        if and_group:
            os.killpg(0, signal.SIGKILL)
        os._exit(1)
