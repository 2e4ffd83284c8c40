"""Locks: one run at a time in an output folder, one change at a time of a reviewer's record.

The lock is the system's, on a file: it ends with its process, however that ends. Some network file systems
have none, or keep it from other computers; so a run also leaves who it is and, every few seconds, a sign of
life. Both files are gone when it ends.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
import platform
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from glutseg.errors import GlutsegError
from glutseg.output.atomic import TEMP_PREFIX
from glutseg.output.decode import from_json
from glutseg.output.folder import PROGRAM
from glutseg.output.json_file import read_json
from glutseg.output.layout import LOCK, OWNER_JSON
from glutseg.output.text import plain

log = logging.getLogger(__name__)

BEAT_S = 15.0
"""Time between two signs of life, in seconds."""
LOST_AFTER_S = 120.0
"""Time without one, in seconds, after which a run on another computer counts as ended: several times `BEAT_S`
and the minute for which NFS may show old times (`acregmax`, nfs(5))."""
WAIT_S = 20.0
"""Longest wait for a change that takes milliseconds, in seconds: whoever takes longer hangs."""
POLL_S = 0.01
"""Time between two attempts to get a lock, in seconds."""
MAX_NAME = 60


@dataclass(frozen=True)
class Owner:
    """Who is at work in an output folder.

    Attributes
    ----------
    user, host : names of the account and of the computer
    process : its id there
    started : UTC, ISO 8601
    has_system_lock : whether the system keeps its lock, so that other processes there see whether it lives
    """

    user: str
    host: str
    process: int
    started: str
    has_system_lock: bool

    def __str__(self) -> str:
        return f"{self.user} at {self.host}, process {self.process}, since {self.started}"


@contextmanager
def only_run(out: Path) -> Iterator[None]:
    """The only run in an output folder, which is made if need be, and goes again where nothing was written.

    Others may read it and review its cases meanwhile.

    Raises
    ------
    GlutsegError
        ``run-in-use`` where another run is at work; ``output-unwritable``.
    """
    with _begun(out):
        yield


def is_at_work(out: Path) -> bool:
    """Whether a run gave a sign of life in a folder of late; nothing is changed, and nobody has to wait."""
    try:
        return time.time() - (out / OWNER_JSON).stat().st_mtime < LOST_AFTER_S
    except OSError:
        return False


@contextmanager
def only_change(file: Path) -> Iterator[None]:
    """Whoever changes a file in this way does it alone; others wait. Without locks nobody waits.

    Raises
    ------
    GlutsegError
        ``output-unwritable`` where another process does not come to its end.
    """
    path = file.with_name(f"{TEMP_PREFIX}lock-{file.name}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        held = _system_lock(path, WAIT_S)
    except TimeoutError as error:
        message = f"another session has been changing it for {WAIT_S:g} s"
        raise GlutsegError("output-unwritable", message, file.name) from error
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", file.name) from error
    with held or ExitStack():
        yield


def _begun(out: Path) -> ExitStack:
    """What ends with a run: its signs of life, its lock, and a folder of its own in which nothing is."""
    is_new = not out.exists()
    try:
        with ExitStack() as held:
            out.mkdir(parents=True, exist_ok=True)
            if is_new:
                held.callback(_remove_if_empty, out)
            try:
                lock = _system_lock(out / LOCK)
            except TimeoutError:
                raise _in_use(out, _owner(out)) from None
            if lock:
                held.enter_context(lock)
            _take_over(out, has_system_lock=lock is not None)
            owner = Owner(_user(), platform.node(), os.getpid(), _now(), lock is not None)
            held.enter_context(_signs_of_life(out / OWNER_JSON, owner))
            return held.pop_all()
    except OSError as error:
        raise GlutsegError("output-unwritable", error.strerror or "unknown reason", str(out)) from error


def _system_lock(path: Path, wait_s: float = 0.0) -> ExitStack | None:
    """The lock on a file, which is made for it and goes with it; None where the system has none for us.

    Raises
    ------
    TimeoutError
        Where another process holds it, or another thread.
    """
    from filelock import FileLock, Timeout  # not needed to look at a run

    lock = FileLock(path, timeout=wait_s, poll_interval=POLL_S, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise
    except (OSError, NotImplementedError):  # a file system without locks, or a colleague's file
        return None
    held = ExitStack()
    held.callback(lock.release)
    if os.name != "nt":  # Windows removes it when it is let go; here whoever waits for a file that is gone
        held.callback(path.unlink, missing_ok=True)  # takes a new one
    return held


def _take_over(out: Path, *, has_system_lock: bool) -> None:
    """Remove what an earlier run left of itself, if it has ended.

    Raises
    ------
    GlutsegError
        ``run-in-use``.
    """
    file = out / OWNER_JSON
    try:
        last_sign_s = file.stat().st_mtime
    except FileNotFoundError:
        return
    owner = _owner(out)
    is_here = owner is not None and owner.host == platform.node()
    if not (has_system_lock and is_here and owner and owner.has_system_lock):
        silent_s = _file_time_s(out) - last_sign_s
        if silent_s < LOST_AFTER_S:
            raise _in_use(out, owner, f"; its last sign of life is {max(0.0, silent_s):.0f} s old")
    log.warning(
        "an earlier run ended without a word (%s); this one takes its place", owner or "nobody knows whose"
    )
    file.unlink(missing_ok=True)


def _file_time_s(out: Path) -> float:
    """Now, by the clock of the file system: those of two computers may differ."""
    with tempfile.NamedTemporaryFile(prefix=TEMP_PREFIX, dir=out) as file:
        return Path(file.name).stat().st_mtime


@contextmanager
def _signs_of_life(file: Path, owner: Owner) -> Iterator[None]:
    """Leave who is at work, and touch it from time to time."""
    content = json.dumps({"program": PROGRAM, **asdict(owner)}, ensure_ascii=False) + "\n"
    with file.open("x", encoding="utf-8") as new:  # of two that come at the same time one fails
        new.write(content)
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT_S):
            with suppress(OSError):
                os.utime(file)

    thread = threading.Thread(target=beat, daemon=True, name="signs of life")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with suppress(OSError):
            if file.read_text(encoding="utf-8") == content:  # nobody took over meanwhile
                file.unlink()


def _owner(out: Path) -> Owner | None:
    try:
        owner: Owner = from_json(Owner, read_json(out / OWNER_JSON))
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return replace(owner, user=plain(owner.user, MAX_NAME), host=plain(owner.host, MAX_NAME))


def _in_use(out: Path, owner: Owner | None, more: str = "") -> GlutsegError:
    return GlutsegError(
        "run-in-use", f"another run is at work ({owner or 'it does not say whose'}){more}", str(out)
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in containers
        return "somebody"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
