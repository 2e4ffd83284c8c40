"""What napari's menus and drag-and-drop find: readers, a writer, sample data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import napari
import numpy as np

from glutseg import dicom
from glutseg.batch.images import find_images
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry, LabelArray, Mask
from glutseg.output.layout import CASE_JSON, RUN_JSON
from glutseg.review.masks import write_mask as write_mask_file
from glutseg.viewer.layer_manager import IMAGE
from glutseg.viewer.review_launcher import login_name, review_in
from glutseg.viewer.review_widget import RunPlace
from glutseg.viewer.session import Session

Kind = Literal["run", "case", "dicom"]
Layer = tuple[Any, dict[str, Any], str]
Reader = Callable[[Any], list[Layer]]
NOBODY = "nobody"
"""Reviewer of a session in which nothing is decided."""
GEOMETRY = "glutseg_geometry"
"""Key in a layer's metadata: the grid of the files, to which masks go back."""


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """A reader for a run's folder, a case's folder, or a folder or file of DICOM; else None.

    In a window of napari it opens the panel for it: a run or a case to review, DICOM to measure by hand.
    """
    if not isinstance(path, str):
        return None
    kind = kind_of(Path(path))
    if kind is None:
        return None
    viewer = napari.current_viewer()
    return READERS[kind] if viewer is None else partial(_open_panel, viewer, kind)


def kind_of(place: Path) -> Kind | None:
    """What a path is to glutseg; a broken run is a run, so that its panel says what is wrong."""
    if (place / RUN_JSON).is_file():
        return "run"
    if (place / CASE_JSON).is_file() and (place.resolve().parents[1] / RUN_JSON).is_file():
        return "case"
    return "dicom" if place.is_dir() or place.suffix.lower() in ("", ".dcm", ".zip") else None


def _open_panel(viewer: Any, kind: Kind, path: str) -> list[Any]:
    """Open the panel for a path in napari's window; it adds its layers itself."""
    if kind == "dicom":
        _, widget = viewer.window.add_plugin_dock_widget("glutseg", "Measure by hand")
        widget.open_folder(path)
    else:
        place = Path(path).resolve()
        out, case_id = (place, "") if kind == "run" else (place.parents[1], place.name)
        review_in(viewer, RunPlace(out, login_name(), case_id=case_id))
    return [(None,)]  # by which napari knows that there is no layer to add


def _read_dicom(path: str) -> list[Layer]:
    """The series that would be measured first, in mm (LPS).

    Raises
    ------
    GlutsegError
        Why nothing can be shown.
    """
    from glutseg.protocol import load_protocol

    index = dicom.scan(Path(path))
    for study in index.studies:
        for series in dicom.choose(study, load_protocol().series).candidates:
            return [image_layer(dicom.read(series))]
    usable = [s for study in index.studies for s in study.series if s.geometry is not None]
    if not usable:
        raise GlutsegError("input-empty", "no CT series that can be shown", path)
    return [image_layer(dicom.read(usable[0]))]


def _read_run(path: str) -> list[Layer]:
    """The first case of a run, with status ``review`` if there is one; the Review widget shows all."""
    items = Session(Path(path), NOBODY).items
    if not items:
        raise GlutsegError("input-missing", "the run has no cases", path)
    return _layers(Path(path), items[0].case_id)


def _read_case(path: str) -> list[Layer]:
    place = Path(path).resolve()
    return _layers(place.parents[1], place.name)


def _layers(out: Path, case_id: str) -> list[Layer]:
    session = Session(out, NOBODY)
    item = session.item(case_id)
    series = find_images(out).series(item.result, session.protocol)
    opened = session.open(case_id, dicom.read(series))
    image = opened.picture.image
    return [image_layer(image, case_id), labels_layer(opened.picture.labels, image, f"{case_id} muscles")]


READERS: dict[Kind, Reader] = {"run": _read_run, "case": _read_case, "dicom": _read_dicom}
"""Readers of layers, where no window of napari is open."""


def image_layer(image: CtImage, name: str = "CT") -> Layer:
    """An image as napari takes it: in mm, LPS."""
    display = {"name": name, "contrast_limits": (-125, 225), "colormap": "gray"}
    place = _place(image)
    place["metadata"][IMAGE] = image
    return (image.hu, {**display, **place}, "image")


def labels_layer(labels: LabelArray, image: CtImage, name: str) -> Layer:
    """Labels (z, y, x) of an image as napari takes them."""
    return (labels, {"name": name, "opacity": 0.45, **_place(image)}, "labels")


def _place(image: CtImage) -> dict[str, Any]:
    g = image.geometry
    return {"scale": g.spacing_mm, "translate": g.origin_mm[::-1], "metadata": {GEOMETRY: image.stored}}


def write_mask(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write a labels layer as NIfTI on the grid of its series.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` when the layer does not lie on a series that glutseg read and is not
        three-dimensional; ``output-unwritable``.
    """
    labels = np.asarray(data)
    if labels.ndim != 3:
        raise GlutsegError("geometry-mismatch", f"a mask has three dimensions, this has {labels.ndim}")
    if labels.min() < 0 or labels.max() > np.iinfo(np.uint8).max:
        raise GlutsegError("geometry-mismatch", "a mask has labels from 0 to 255")
    stored = meta.get("metadata", {}).get(GEOMETRY)
    if stored is None:
        grid = Geometry(labels.shape, tuple(meta["scale"]), tuple(meta["translate"][::-1]))
        mask = Mask(labels.astype(np.uint8), grid)
    elif stored.canonical().shape != labels.shape:
        raise GlutsegError("geometry-mismatch", "the layer is not on the grid of its series")
    else:
        mask = Mask(labels.astype(np.uint8), stored.canonical(), stored)
    file = Path(path if path.endswith(".nii.gz") else f"{path}.nii.gz")
    write_mask_file(file, mask)
    return [str(file)]


def sample_phantom() -> list[Layer]:
    """A synthetic pelvis with its true muscles."""
    from glutseg.phantom import PhantomPatient, PhantomScan, render

    scan = PhantomScan(matrix=256, pixel_mm=1.6, slice_mm=5.0, z_range_mm=(-40.0, 50.0))
    phantom = render(PhantomPatient(seed=10), scan)
    return [
        image_layer(phantom.volume, "phantom CT"),
        labels_layer(phantom.truth.labels, phantom.volume, "phantom muscles"),
    ]
