"""Cases in a process of their own: one that crashes, hangs or takes all memory is one result among others."""

from __future__ import annotations

import multiprocessing as mp
import os
import resource
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection

import SimpleITK as sitk

KILL_SECONDS = 30.0
"""Without an answer for so long the process is killed."""
ADDRESS_BYTES = 6 * 2**30
"""Limit of the process, so that no case takes the machine along."""

Row = tuple[str, str, float]
"""(what was done, how it ended, in how many seconds)."""
Prepare = Callable[[], Callable[[int], Row]]
"""Run once in the process; gives what runs the case of a seed. To be pickled."""


def peak_bytes() -> int:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run_seeds(prepare: Prepare, seeds: Sequence[int]) -> Iterator[tuple[int, str, str, float]]:
    """All seeds, starting a new process after each that died or hung."""
    n_done = 0
    context = mp.get_context("spawn")
    while n_done < len(seeds):
        ours, theirs = context.Pipe()
        process = context.Process(target=_worker, args=(theirs, prepare, seeds[n_done:]))
        process.start()
        theirs.close()
        while n_done < len(seeds):
            try:
                row = ours.recv() if ours.poll(KILL_SECONDS) else ("", "hang", KILL_SECONDS)
            except EOFError:
                row = ("", "crash: the process died", 0.0)
            yield seeds[n_done], *row
            n_done += 1
            if not row[0]:
                break
        process.kill()
        process.join()


def _worker(pipe: Connection, prepare: Prepare, seeds: Sequence[int]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    run_case = prepare()
    for seed in seeds:
        try:
            row = run_case(seed)
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            row = (f"seed {seed}", f"crash: {type(error).__name__}: {error}"[:300], 0.0)
        pipe.send(row)
    pipe.recv_bytes()  # until it is killed
