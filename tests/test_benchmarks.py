"""The input that the benchmarks of speed make, and that the page on performance says what is stored."""

import importlib.util
from pathlib import Path

import pytest

from glutseg import dicom
from glutseg.output.documents import refresh
from glutseg.phantom import PhantomScan

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def module_of(path, monkeypatch):
    monkeypatch.syspath_prepend(str(path.parent))
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_cohort_is_many_patients_with_uids_of_their_own(tmp_path, monkeypatch):
    inputs = module_of(ROOT / "benchmarks" / "inputs.py", monkeypatch)
    scan = PhantomScan(matrix=24, pixel_mm=5.0, slice_mm=20.0, z_range_mm=(0.0, 60.0))
    folder = inputs.cohort(tmp_path, 3, scan, "few")
    studies = dicom.scan(folder).studies
    assert [s.patient_id for s in studies] == ["PHANTOM-000001", "PHANTOM-000002", "PHANTOM-000003"]
    uids = {header.sop_uid for s in studies for header in s.series[0].slices}
    assert len(uids) == 12
    assert all(not s.flags and not s.series[0].flags for s in studies)
    made = (folder / "000001").stat().st_mtime_ns
    assert (inputs.cohort(tmp_path, 3, scan, "few") / "000001").stat().st_mtime_ns == made, "made once"


@pytest.mark.parametrize("step", [1, 3])
def test_medians_are_taken_number_by_number(step, monkeypatch):
    measuring = module_of(ROOT / "benchmarks" / "measuring.py", monkeypatch)
    turns = [{"wall_s": n, "stages": {"read": 10 * n}} for n in (step, 100, 2 * step)]
    assert measuring.median_of(turns) == {"wall_s": 2 * step, "stages": {"read": 20 * step}}


def test_the_document_says_what_is_stored(monkeypatch):
    script = module_of(ROOT / "scripts" / "plot_performance.py", monkeypatch)
    text = (ROOT / "docs" / "explanation" / "performance.md").read_text(encoding="utf-8")
    sections = script.sections_of(script.stored())
    assert refresh("performance.md", text, {"performance.md": sections}, script.WRITER) == text
    for picture in ("slices", "studies", "large"):
        assert f"images/performance-{picture}.svg" in text
        assert (ROOT / "docs" / "images" / f"performance-{picture}.svg").is_file()
