"""Measure by hand, without a run: open a folder, choose series and level, segment or draw, measure."""

from __future__ import annotations

import dataclasses
import math
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from glutseg import dicom
from glutseg.errors import GlutsegError
from glutseg.image import CtImage
from glutseg.measurement.height import MAX_HEIGHT_M, MIN_HEIGHT_M
from glutseg.output.atomic import write_text
from glutseg.output.text import plain, safe_cell
from glutseg.protocol import NAMED_LEVELS, LevelRule, load_protocol
from glutseg.review.masks import write_mask
from glutseg.segmentation import OUTLINERS, named_outliner
from glutseg.viewer.background import Background
from glutseg.viewer.figures import FiguresTable
from glutseg.viewer.layer_manager import IMAGE, LayerManager
from glutseg.viewer.level_panel import LevelPanel
from glutseg.viewer.off_level import OffLevelNote
from glutseg.viewer.paint_rules import REFUSALS
from glutseg.viewer.parts import AtClose, MessageArea, fill_column, single_shot, unwrapped
from glutseg.viewer.picture import Picture
from glutseg.viewer.screen import Screen
from glutseg.viewer.tools_panel import ToolsPanel

UNKNOWN_HEIGHT = "unknown"


class MeasureWidget(QWidget):
    """Measure one series as in OsiriX: one slice, a region, its measurements.

    Parameters
    ----------
    napari_viewer : given by napari
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.layers = LayerManager(unwrapped(napari_viewer))
        self.protocol = load_protocol()
        self.series: list[dicom.Series] = []
        self._before: Any = None
        self.reader = Background(self)
        self._build()
        self._live = single_shot(self, 0, self.show_figures)
        self._connect()
        self._at_close = AtClose(self, self.close_work)

    def _build(self) -> None:
        self.folder, self.open = QLineEdit(), QPushButton("Open folder …")
        self.folder.setPlaceholderText("a folder of DICOM files; Enter opens it")
        self.choice = QComboBox()
        self.landmark = QComboBox()
        self.landmark.addItems(NAMED_LEVELS)
        self.outliner = QComboBox()
        self.outliner.addItems(tuple(OUTLINERS))
        self.find = QPushButton("Find level and segment")
        self.here = QPushButton("Segment at this level")
        self.height = QDoubleSpinBox()
        self.height.setRange(MIN_HEIGHT_M - 0.01, MAX_HEIGHT_M)
        self.height.setSingleStep(0.01)
        self.height.setSpecialValueText(UNKNOWN_HEIGHT)
        self.copy, self.save = QPushButton("Copy measurements"), QPushButton("Save measurements and mask …")
        self.figures, self.level = FiguresTable(with_automatic=False), LevelPanel(self.layers)
        self.level.segments_empty_levels = False
        self.tools = ToolsPanel(self.layers, lambda: self._before)
        self.off_level = OffLevelNote(self.layers, self.level)
        self.message = MessageArea("Open a folder of DICOM files.")
        self.screen = Screen(self, self.layers, self.level)
        top = QWidget()
        grid = QGridLayout(top)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.folder, 0, 0, 1, 2)
        grid.addWidget(self.open, 0, 2)
        grid.addWidget(self.choice, 1, 0, 1, 3)
        grid.addWidget(self.landmark, 2, 0)
        grid.addWidget(self.outliner, 2, 1, 1, 2)
        grid.addWidget(self.find, 3, 1, 1, 2)
        height = QHBoxLayout()
        height.addWidget(QLabel("height (m)"))
        height.addWidget(self.height)
        grid.addLayout(height, 3, 0)
        grid.addWidget(self.here, 4, 1, 1, 2)
        parts = (
            top,
            self.figures,
            self.level,
            self.screen.bar,
            self.tools,
            self.off_level,
            self.copy,
            self.save,
            self.message,
        )
        fill_column(self, parts, self.tools)

    def _connect(self) -> None:
        self.open.clicked.connect(self._browse)
        self.folder.returnPressed.connect(lambda: self.open_folder(self.folder.text()))
        self.choice.activated.connect(self.load)
        self.find.clicked.connect(self._find)
        self.here.clicked.connect(self._segment_here)
        self.height.valueChanged.connect(self._height_given)
        self.copy.clicked.connect(lambda: QApplication.clipboard().setText(self.as_text("\t")))
        self.save.clicked.connect(self._save)
        self.layers.on_change(self._live.start)
        self.layers.rules.on_refusal(lambda reason: self._show_message(REFUSALS[reason]))
        self.level.moved.connect(self._live.start)
        self.level.failed.connect(self._show_error)
        single_shot(self, 0, self._take_open).start()

    def open_folder(self, folder: str) -> None:
        """List the series below a folder; those that a run would measure come first."""
        self.folder.setText(folder)
        self.layers.prepare()
        self._say("reading headers …", "Reading the headers …")
        self.reader.do(partial(_series_below, Path(folder)), self._listed)

    def _take_open(self) -> None:
        """Show the CT that is open in napari already, unless a folder was opened meanwhile."""
        if self.folder.text() or self.layers.picture is not None:
            return
        layer = open_ct(self.layers.viewer)
        if layer is not None:
            layer.visible = False  # the same CT is shown below the muscles
            self._show_image(layer.metadata[IMAGE])
            self._show_message(f"Measuring the CT that is open: {layer.name}")

    def load(self, index: int) -> None:
        """Show one of the series listed."""
        self._say("reading the images …", "Reading the images …")
        self.level.leave()
        self.reader.do(partial(dicom.read, self.series[index]), self._loaded)

    def _listed(self, found: list[dicom.Series] | None, error: Exception | None) -> None:
        self.screen.say("")
        if error is not None or found is None:
            self._show_error(error)
            return
        self.series = found
        self.choice.clear()
        self.choice.addItems([_series_label(series) for series in found])
        if found:
            self.load(0)
        else:
            self._show_message("There is no CT series with usable geometry in this folder, and no run.")

    def _loaded(self, image: CtImage | None, error: Exception | None) -> None:
        self.screen.say("")
        if error is not None or image is None:
            self._show_error(error)
        else:
            self._show_image(image)

    def _show_image(self, image: CtImage) -> None:
        picture = Picture.of(image, None, None, self.protocol.tissue, self._height_m)
        self.tools.forget()
        self.layers.show(picture)
        self._before = picture.labels.copy()
        self.tools.bar.show_tissue()
        self.off_level.refresh()
        self.level.show_picture(picture, self.protocol)
        self._show_message("; ".join(flag.message for flag in image.flags))
        self.show_figures()

    def show_figures(self) -> None:
        """Show the measurements of the level's slice as it is drawn."""
        if self.layers.picture is not None:
            self.figures.show_figures(self.layers.picture.live())

    def as_text(self, separator: str) -> str:
        """The measurements as a table with a row per side; "" without an image.

        ``slice_index`` counts in the order of the files, as in the tables of a run.
        """
        picture = self.layers.picture
        if picture is None:
            return ""
        live = picture.live()
        names = (
            [field.name for field in dataclasses.fields(next(iter(live.sides.values())))]
            if live.sides
            else []
        )
        head = ["side", "slice_index", "z_mm", "height_m", *names]
        height = "" if live.height_m is None else f"{live.height_m:.2f}"
        rows = [head]
        for side, measured in live.sides.items():
            figures = [_figure(getattr(measured, name)) for name in names]
            rows.append(
                [
                    side,
                    str(picture.image.stored_slice(picture.slice_index)),
                    f"{picture.level_z_mm:.3f}",
                    height,
                    *figures,
                ]
            )
        return "\n".join(separator.join(row) for row in rows) + "\n"

    def save_to(self, file: Path) -> None:
        """Write the measurements as CSV and the mask beside it, with the same name and ``.nii.gz``.

        Raises
        ------
        GlutsegError
            ``output-unwritable``.
        """
        if self.layers.picture is not None:
            base = file.with_suffix("")
            write_mask(base.with_name(base.name + ".nii.gz"), self.layers.picture.mask())
            write_text(base.with_name(base.name + ".csv"), self.as_text(","))
            self._show_message(f"saved {base.name}.csv and {base.name}.nii.gz")

    def close_work(self) -> None:
        """Stop what is running."""
        self.level.close()
        self.screen.close()
        self.tools.close_tools()
        self.reader.finish()

    @property
    def _height_m(self) -> float | None:
        return None if self.height.text() == UNKNOWN_HEIGHT else float(self.height.value())

    def _height_given(self, _value: float) -> None:
        if self.layers.picture is not None:
            self.layers.picture.height_m = self._height_m
            self.show_figures()

    def _segment(self, level: int | LevelRule) -> None:
        """Segment with the outliner that is chosen, if it can work."""
        try:
            self.level.outliner = named_outliner(self.outliner.currentText())
            self.level.outliner.check()
        except GlutsegError as error:
            self._show_error(error)
        else:
            self.level.segment(level)

    def _find(self) -> None:
        self._segment(LevelRule.model_validate({"landmark": self.landmark.currentText()}))

    def _segment_here(self) -> None:
        if self.layers.picture is not None:
            self._segment(self.layers.picture.slice_index)

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A folder of DICOM files", self.folder.text())
        if folder:
            self.open_folder(folder)

    def _save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save measurements and mask", "", "Table (*.csv)")
        if name:
            try:
                self.save_to(Path(name))
            except GlutsegError as error:
                self._show_error(error)

    def _say(self, text: str, note: str) -> None:
        """In the panel and on the canvas."""
        self._show_message(text)
        self.screen.say(note)

    def _show_message(self, text: str) -> None:
        self.message.setText(plain(text, 500))

    def _show_error(self, error: Exception | None) -> None:
        self._show_message(f"✗ {error}")


def open_ct(viewer: Any) -> Any:
    """The layer of a CT of which glutseg knows the patient's sides, the one shown first; None without one."""
    layers = [layer for layer in viewer.layers if IMAGE in layer.metadata and layer.data.size > 1]
    return max(reversed(layers), key=lambda layer: layer.visible, default=None)


def _series_below(folder: Path) -> list[dicom.Series]:
    rule = load_protocol().series
    found: list[dicom.Series] = []
    for study in dicom.scan(folder).studies:
        first = list(dicom.choose(study, rule).candidates)
        shown = (s if s.geometry is not None else dicom.given_slice(s) for s in study.series)
        rest = [s for s in shown if s is not None and s not in first]
        found += first + rest
    return found


def _series_label(series: dicom.Series) -> str:
    spacing = "" if series.geometry is None else f", {series.geometry.spacing_mm[0]:g} mm"
    return plain(f"{series.description or series.modality}: {len(series.slices)} slices{spacing}", 80)


def _figure(value: float) -> str:
    return "" if math.isnan(value) else safe_cell(f"{value:.3f}").removeprefix("'")
