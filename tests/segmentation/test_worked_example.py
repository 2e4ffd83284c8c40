"""The worked example of CONTRIBUTING.md: another outliner, through command line, Python and viewer."""

import csv
import importlib.util
import re
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import glutseg
from glutseg.cli import app
from glutseg.image import SIDES
from glutseg.protocol import load_protocol
from glutseg.segmentation import OUTLINERS, named_outliner
from glutseg.viewer.segmentation_process import SegmentationProcess
from stand_ins import use_truth

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
NAME = "largest-component"


def code_of_the_page():
    text = CONTRIBUTING.read_text(encoding="utf-8")
    (code,) = re.findall(r"test_worked_example\.py -->\n```python\n(.*?)```", text, re.DOTALL)
    return code


@pytest.fixture
def registered(tmp_path, monkeypatch):
    """The page's file as a module that other processes can import as well, and its line of registration."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "largest_component.py").write_text(code_of_the_page(), encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    spec = importlib.util.find_spec("largest_component")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "largest_component", module)
    spec.loader.exec_module(module)
    monkeypatch.setitem(OUTLINERS, NAME, lambda device: module.LargestComponent())
    return module


@pytest.fixture
def folder(registered, stage, monkeypatch, tmp_path):
    """Hips and level are the phantom's truth; outlines are the example's."""
    use_truth(monkeypatch, [stage.phantom], lambda *_: 8)
    monkeypatch.setenv("GLUTSEG_JOBS", "0")
    return stage.write(tmp_path / "in")


def test_it_runs_from_the_command_line_and_from_python_alike(folder, stage, tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["run", str(folder), "-o", str(out), "--outliner", NAME])
    assert done.exit_code in (0, 2), done.output
    (row,) = csv.DictReader((out / "measurements.csv").open(encoding="utf-8"))
    assert row["protocol"] == f"femoral-head-top.{NAME}"
    case = glutseg.measure_study(folder, outliner=NAME)
    assert case.result.outliner == NAME
    for side in SIDES:
        assert float(row[f"area_{side}_mm2"]) == pytest.approx(case.result.area_mm2(side), abs=1e-3)
    # it takes more than the muscle, but the muscle is in it
    truth = stage.phantom.truth.labels[8] == SIDES["left"]
    assert (case.mask.labels[8][truth] == SIDES["left"]).mean() > 0.9


@pytest.mark.slow
def test_it_runs_in_the_viewers_process(registered, tmp_path):
    from glutseg.phantom import PhantomPatient, PhantomScan, render

    image = render(PhantomPatient(seed=3), PhantomScan(matrix=160, pixel_mm=2.6, slice_mm=5.0)).volume
    with closing(SegmentationProcess()) as process:
        found = process.segment(image, load_protocol(), named_outliner(NAME), threading.Event())
    assert np.isin(found.labels, list(SIDES.values())).any()
