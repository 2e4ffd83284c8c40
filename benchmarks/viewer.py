"""How long a person waits for the viewer: its window, the first picture, the next case, a moved level.

    python benchmarks/viewer.py [--keep DIR] [--real DICOM] [--slices 300] [--repeats 5] [--store]

Every figure is the median of repeats, each in a process of its own that opens the real viewer on a run, on a
virtual display (Xvfb) where there is no other. "window": from the start of the program; "first picture": from
there until the measured slice and its mask are painted; "first case": until they can be drawn on and decided;
"next case": from the key to its picture; "level": from the slider, moved beyond the outlines of a case that
was looked at for some seconds, to the painted mask, and the same once more. CPU time, of all processes of the
viewer, says more on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import inputs
import measuring
from glutseg import batch, dicom
from glutseg.protocol import load_protocol

WAIT_S = 300.0
BEYOND_MM = 10.0
"""From the last outlined slice to the level that is asked for."""
LOOKED_AT_S = 6.0
"""Seconds for which a reviewer looks at a case before the level is moved."""


class Watched:
    """A review on the screen, and the seconds until something is so."""

    def __init__(self, out: Path) -> None:
        from glutseg.viewer.review_launcher import make_review
        from glutseg.viewer.review_widget import RunPlace

        self.viewer, widget = make_review(RunPlace(out, "benchmark"))
        self.panel = widget.panel
        self.panel.window().resize(1280, 800)

    def until(self, condition: Callable[[], bool]) -> float:
        """Seconds until a condition holds and the screen shows it."""
        from qtpy.QtWidgets import QApplication

        start = time.perf_counter()
        while not condition():
            if time.perf_counter() - start > WAIT_S:
                raise RuntimeError("the viewer did not get there: " + self.panel.message.text())
            QApplication.processEvents()
            time.sleep(0.005)
        self.viewer.screenshot(canvas_only=True, flash=False)  # draws what is due
        return time.perf_counter() - start

    def picture_stands(self) -> bool:
        """Whether the measured slice of a case is shown with its mask."""
        muscles = self.panel.layers.muscles
        return muscles is not None and muscles.visible and bool(muscles.data.any())

    def can_be_decided(self) -> bool:
        return self.panel.opened is not None

    def next_case(self) -> float:
        """Step on, or back at the end of the list."""
        before = self.panel.opened.automatic.case_id
        by = 1 if self.panel.session.step(before, self.panel.cases.shown_filter, 1) else -1
        start = time.perf_counter()
        self.panel.step(by)
        self.until(self.picture_stands)
        return time.perf_counter() - start

    def wait(self, seconds: float) -> None:
        """Let the viewer work for some seconds."""
        end = time.perf_counter() + seconds
        self.until(lambda: time.perf_counter() > end)

    def moved_level(self) -> dict[str, float]:
        """Move the level up to where nothing is outlined yet; wall and CPU seconds until something is."""
        picture = self.panel.opened.picture
        g, drawn = picture.image.geometry, picture.labels.any(axis=(1, 2)).nonzero()[0]
        slice_index = int(drawn[-1]) + max(1, round(BEYOND_MM / g.spacing_mm[0]))
        before = cpu_s()
        self.panel.level.slider.setValue(slice_index)
        wall_s = self.until(lambda: bool(picture.labels[slice_index].any()))
        return {"wall_s": wall_s, "cpu_s": cpu_s() - before}


def cpu_s() -> float:
    """CPU seconds so far of this process and of those that it has started, as far as the system tells."""
    gone = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = time.process_time() + gone.ru_utime + gone.ru_stime
    for child in multiprocessing.active_children():
        stat = Path(f"/proc/{child.pid}/stat")
        if stat.exists():
            ticks = stat.read_text().rpartition(")")[2].split()[11:13]
            total += sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return total


def session(out: Path) -> dict[str, Any]:
    """One sitting at a run, in this process."""
    started_s = float(os.environ["GLUTSEG_BENCHMARK_START"])
    watched = Watched(out)
    watched.until(watched.panel.isVisible)
    found: dict[str, Any] = {"window_s": time.time() - started_s}
    found["first_picture_s"] = watched.until(watched.picture_stands)
    found["first_case_s"] = found["first_picture_s"] + watched.until(watched.can_be_decided)
    panel = watched.panel
    if len(panel.session.items) > 1:
        ahead = [item.case_id for item in panel.session.items]
        watched.until(lambda: panel.loader.is_ready(ahead[1]))
        found["next_case_s"] = watched.next_case()
    watched.wait(LOOKED_AT_S)
    found["level"] = watched.moved_level()
    found["level_again"] = watched.moved_level()
    watched.viewer.close()
    return found


def fresh(out: Path) -> dict[str, Any]:
    """`session` in a new process."""
    start = {"GLUTSEG_BENCHMARK_START": repr(time.time())}
    with tempfile.TemporaryDirectory() as folder:  # a draft that is left must not meet the next sitting
        own = shutil.copytree(out, Path(folder) / "out")
        command = [sys.executable, __file__, "--session", str(own)]
        done = subprocess.run(command, env=os.environ | start, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def display() -> Iterator[None]:
    """The present display, or a virtual one for the while."""
    if os.environ.get("DISPLAY"):
        yield
        return
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as answer:
        os.environ["DISPLAY"] = f":{answer.readline().strip()}"
    try:
        yield
    finally:
        server.terminate()
        server.wait()
        del os.environ["DISPLAY"]


def measured_run(studies: Path, out: Path) -> Path:
    """A run of all studies in a folder."""
    if not out.is_dir():
        batch.run(dicom.scan(studies), load_protocol(), None, out)
    return out


def both(keep: Path, folders: dict[str, Path]) -> Path:
    """A folder that holds the files of several."""
    together = keep / "viewer-together"
    for name, folder in folders.items():
        if not (together / name).is_dir():
            shutil.copytree(folder, together / name)
    return together


def main() -> None:
    parser = measuring.options(__doc__, "viewer")
    parser.add_argument("--real", type=Path, help="folder of a real study")
    parser.add_argument("--slices", type=int, default=300, help="of the phantom [300]")
    parser.add_argument("--session", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.session is not None:
        print(json.dumps(session(args.session)))
        return
    result: dict[str, Any] = {"machine": measuring.machine(), "repeats": args.repeats, "runs": {}}
    with measuring.kept(args.keep) as keep, display():
        folders = {f"phantom, {args.slices} slices": inputs.study(keep, args.slices)}
        if args.real is not None:
            folders[args.real.parent.name] = args.real
            folders["both"] = both(keep, folders)
        for name, folder in folders.items():
            out = measured_run(folder, keep / f"viewer-{name.replace(', ', '-').replace(' ', '-')}-out")
            measuring.warm(folder)
            result["runs"][name] = measuring.median_of([fresh(out) for _ in range(args.repeats)])
            print(name, json.dumps(result["runs"][name]))
    if args.store:
        measuring.store("viewer", result)


if __name__ == "__main__":
    main()
