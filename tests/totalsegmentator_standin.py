"""A package that looks from outside as TotalSegmentator 2.18.0 does, with a rule in place of its network.

The rule reads the image as the real one does (nibabel's closest canonical order, from the affine alone), so
that it sees left for right where an affine is wrong: in the patient's upper half, bright voxels behind the
middle are the gluteus maximus, left ones left.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

VERSION = "2.18.0"
SIGNATURE = (
    "(input: Union[str, pathlib.Path, nibabel.nifti1.Nifti1Image], output: Union[str, pathlib.Path, "
    "NoneType] = None, ml=False, nr_thr_resamp=1, nr_thr_saving=6, fast=False, nora_tag='None', "
    "preview=False, task='total', roi_subset=None, statistics: Union[bool, str, pathlib.Path] = False, "
    "radiomics=False, crop_path=None, body_seg=False, force_split=False, output_type='nifti', "
    "quiet=False, verbose=False, test=0, skip_saving=False, device='gpu', license_number=None, "
    "statistics_exclude_masks_at_border=True, no_derived_masks=False, v1_order=False, fastest=False, "
    "roi_subset_robust=None, stats_aggregation='mean', remove_small_blobs=False, "
    "statistics_normalized_intensities=False, robust_crop=False, higher_order_resampling_LEGACY=False, "
    "higher_order_resampling=False, save_probabilities=None, debug=False, report=None, "
    "statistics_extra=False, save_lowres=False, resampling_order=1, plans='nnUNetPlans', "
    "model_size='big')"
)
"""Of ``totalsegmentator.python_api.totalsegmentator``, as `inspect.signature` has it."""
WEIGHTS = {
    291: "Dataset291_TotalSegmentator_part1_organs_1559subj",
    292: "Dataset292_TotalSegmentator_part2_vertebrae_1532subj",
    293: "Dataset293_TotalSegmentator_part3_cardiac_1559subj",
    294: "Dataset294_TotalSegmentator_part4_muscles_1559subj",
    295: "Dataset295_TotalSegmentator_part5_ribs_1559subj",
    298: "Dataset298_TotalSegmentator_total_6mm_1559subj",
}
CLASSES = {
    80: "gluteus_maximus_left",
    81: "gluteus_maximus_right",
    82: "gluteus_medius_left",
    83: "gluteus_medius_right",
    84: "gluteus_minimus_left",
    85: "gluteus_minimus_right",
}
BRIGHT_HU = 40

CONFIG = """
import os
from pathlib import Path

def get_weights_dir():
    if "TOTALSEG_WEIGHTS_PATH" in os.environ:
        return Path(os.environ["TOTALSEG_WEIGHTS_PATH"])
    return Path(os.environ["TOTALSEG_HOME_DIR"]) / "nnunet/results"
"""
TASKS = f"""
TASK_CONFIGS = {{"total": {{"sub_modes": {{"default": {{"task_id": [291, 292, 293, 294, 295]}}}}}}}}
TASK_ID_WEIGHTS_CONFIGS = {{k: {{"foldername": name}} for k, name in {WEIGHTS!r}.items()}}
"""
API = f"""
import json, os, pathlib
from pathlib import Path
from typing import Union
import nibabel
import nibabel.nifti1
import numpy as np
from totalsegmentator.map_to_binary import class_map
NoneType = type(None)
CALLS = Path(__file__).with_name("calls.jsonl")

def totalsegmentator{SIGNATURE}:
    print("noise that nobody asked for")
    image, numbers = input, {{name: number for number, name in class_map["total"].items()}}
    told = dict(
        ml=ml, task=task, roi_subset=roi_subset, device=device, quiet=quiet, output=output, shape=image.shape,
        config=json.loads((Path(os.environ["TOTALSEG_HOME_DIR"]) / "config.json").read_text()),
        proxy=os.environ["HTTPS_PROXY"], weights=os.environ["TOTALSEG_WEIGHTS_PATH"],
    )
    with CALLS.open("a") as file:
        file.write(json.dumps(told) + chr(10))
    os.environ["nnUNet_results"] = "left behind"
    canonical = nibabel.as_closest_canonical(image)
    hu, labels = canonical.get_fdata(), np.zeros(canonical.shape, np.uint8)
    nx, ny, nz = hu.shape
    half = np.zeros(hu.shape, bool)
    half[:, : ny // 2, nz // 2 :] = True
    found = (hu > {BRIGHT_HU}) & half
    labels[: nx // 2][found[: nx // 2]] = numbers["gluteus_maximus_left"]
    labels[nx // 2 :][found[nx // 2 :]] = numbers["gluteus_maximus_right"]
    to_canonical = nibabel.io_orientation(image.affine)
    back = nibabel.orientations.ornt_transform(nibabel.orientations.axcodes2ornt("RAS"), to_canonical)
    answer = nibabel.Nifti1Image(labels, canonical.affine).as_reoriented(back)
    header = image.header.copy()
    header.set_data_dtype(np.uint8)
    answer = nibabel.Nifti1Image(np.asanyarray(answer.dataobj), answer.affine, header)
    names = {{k: v for k, v in class_map["total"].items() if v in roi_subset}}
    lines = "".join(f'<Label Key="{{k}}"><![CDATA[{{v}}]]></Label>' for k, v in names.items())
    answer.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, lines.encode()))
    return answer
"""


def write_package(folder: Path) -> Path:
    """The package and its metadata below ``folder``, to be put on the path; returns its own folder."""
    package, info = folder / "totalsegmentator", folder / f"totalsegmentator-{VERSION}.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: TotalSegmentator\nVersion: {VERSION}\n")
    files = {
        "__init__": "",
        "config": CONFIG,
        "map_tasks_config": TASKS,
        "map_to_binary": f"class_map = {{'total': {CLASSES!r}}}",
        "python_api": API,
    }
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    return package


def write_weights(folder: Path) -> Path:
    for name in WEIGHTS.values():
        (folder / name).mkdir(parents=True)
    return folder


def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package on the path, also before the true one, with all weights where it looks for them."""
    ours = [name for name in sys.modules if name.split(".")[0] == "totalsegmentator"]
    before = {name: sys.modules.pop(name) for name in ours}
    package = write_package(tmp_path / "path")
    monkeypatch.syspath_prepend(tmp_path / "path")
    importlib.invalidate_caches()
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(write_weights(tmp_path / "weights")))
    yield package
    for name in [name for name in sys.modules if name.split(".")[0] == "totalsegmentator"]:
        del sys.modules[name]
    sys.modules.update(before)
