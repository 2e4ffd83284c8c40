"""Take the pictures of docs/how-to/viewer.md: python scripts/take_pictures.py OUT

OUT is what `glutseg run sample_dicom -o OUT` wrote: the synthetic patients, nobody's images. Needs a display,
or Xvfb: xvfb-run -a -s "-screen 0 1600x1000x24" python scripts/take_pictures.py OUT
To look at the windows in another size: --size 1920 1080 --to FOLDER, on a display of at least that size.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from glutseg.viewer.measure_widget import MeasureWidget
from glutseg.viewer.review_launcher import make_review
from glutseg.viewer.review_widget import RunPlace

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "images"
IMAGES = Path(__file__).resolve().parents[1] / "sample_dicom"
SIZE = (1280, 800)
WAIT_S = 120.0


def pump(seconds: float, until: Callable[[], bool] = lambda: False) -> None:
    """Let the screen work for a while, or until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        QApplication.processEvents()
        time.sleep(0.01)


def take(viewer: Any, folder: Path, name: str) -> None:
    """A picture of the whole window."""
    pump(1.0)
    viewer.window._qt_window.grab().save(str(folder / f"{name}.png"))


def review(out: Path, folder: Path, size: tuple[int, int]) -> None:
    """The review, both themes; growing a region; another level; slices."""
    viewer, widget = make_review(RunPlace(out, "anna", IMAGES))
    viewer.window._qt_window.resize(*size)
    panel = widget.panel
    pump(WAIT_S, lambda: panel.opened is not None)
    take(viewer, folder, "review-dark")
    viewer.theme = "light"
    take(viewer, folder, "review-light")
    viewer.theme = "dark"
    slice_index = panel.opened.picture.slice_index
    labels = panel.layers.muscles.data
    left = labels[slice_index] == 1
    lateral = left & (np.arange(labels.shape[2]) > np.median(np.nonzero(left)[1]))
    y, x = np.argwhere(lateral).mean(axis=0).astype(int)
    panel.layers.write(slice_index, lateral, 0)
    panel.tools.show_tool(panel.tools.grow)
    panel.tools.grow.fields["interval_hu"].setValue(160)
    panel.tools.grow.seed_at((slice_index, int(y), int(x)))
    take(viewer, folder, "grow-dark")
    panel.tools.show_tool(panel.tools.regrow)
    panel.tools.regrow._click_inside((slice_index, int(y), int(x)))
    take(viewer, folder, "regrow-dark")
    del viewer.layers["clicks"]  # of another slice
    panel.tools.show_tool(panel.tools.slices)
    panel.level.slider.setValue(slice_index + 2)
    viewer.theme = "light"
    take(viewer, folder, "level-light")
    viewer.close()


def measure(folder: Path, size: tuple[int, int]) -> None:
    """Measuring by hand."""
    viewer = napari.Viewer(title="glutseg")
    viewer.theme = "light"
    viewer.window._qt_window.resize(*size)
    widget = MeasureWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Measure by hand", area="right")
    widget.open_folder(str(IMAGES))
    pump(WAIT_S, lambda: widget.layers.picture is not None)
    widget.find.click()
    pump(WAIT_S, lambda: not widget.level.is_busy)
    widget.height.setValue(1.63)
    widget.folder.setText("sample_dicom")  # wherever it lies on this computer
    take(viewer, folder, "measure-light")
    viewer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--to", type=Path, default=PICTURES, help="folder for the pictures [docs/images]")
    parser.add_argument("--size", type=int, nargs=2, default=SIZE, help="of the window, in pixels [1280 800]")
    args = parser.parse_args()
    args.to.mkdir(exist_ok=True, parents=True)
    size = (args.size[0], args.size[1])
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "run"
        shutil.copytree(args.out, copy)
        review(copy, args.to, size)
    measure(args.to, size)


if __name__ == "__main__":
    main()
