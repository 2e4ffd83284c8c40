"""The notebooks of the examples are those scripts, with what they print and draw; they run."""

import base64
import importlib.util
import io
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
MAX_BYTES = 300_000


def load_script():
    path = ROOT / "scripts" / "write_notebooks.py"
    spec = importlib.util.spec_from_file_location("write_notebooks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outputs_of(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_is_its_script_with_its_pictures(script):
    path = script.with_suffix(".ipynb")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    made = load_script().notebook_of(script)
    how = "run: python scripts/write_notebooks.py"
    found, wanted = ([(c.cell_type, c.source) for c in one.cells] for one in (notebook, made))
    assert found == wanted, how
    assert path.stat().st_size < MAX_BYTES
    outputs = outputs_of(notebook)
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert [o for o in outputs if o.output_type == "stream"]
    pictures = [o.data["image/png"] for o in outputs if "image/png" in o.get("data", ())]
    assert pictures
    for content in pictures:
        with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
            assert min(picture.size) > 200
            assert len(set(picture.convert("L").resize((64, 64)).tobytes())) > 5, "the picture is empty"
    assert str(Path.home()) not in path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_notebook_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    script = ROOT / "examples" / "one_patient.py"
    shutil.copytree(ROOT / "sample_dicom", tmp_path / "sample_dicom")
    writer = load_script()
    done = writer.done(writer.notebook_of(script), tmp_path)
    said = "".join(o.text for o in outputs_of(done) if o.output_type == "stream")
    assert "mm²" in said
    assert (tmp_path / "one_patient.png").exists()


def test_a_script_without_cells_is_refused(tmp_path):
    (tmp_path / "x.py").write_text("print(1)\n", encoding="utf-8")
    with pytest.raises(ValueError, match="does not begin with a cell"):
        load_script().notebook_of(tmp_path / "x.py")
