"""The benchmark of attacks changes what it says, and the page tells what it stored."""

import json

import numpy as np
import pytest

from benchmarks import attacks
from benchmarks.attack_changes import AS_IT_IS, ATTACKS, Measured
from glutseg import dicom
from glutseg.output.documents import refresh
from glutseg.phantom import PhantomPatient, PhantomScan, render, write_dicom

SCAN = PhantomScan(matrix=84, pixel_mm=5.0, slice_mm=4.0, z_range_mm=(-40.0, 40.0))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Two phantoms, as if their level were the slice in the middle."""
    found = []
    for seed in (3, 4):
        phantom = render(PhantomPatient(seed=seed), SCAN)
        folder = tmp_path_factory.mktemp(f"seed{seed}")
        write_dicom(phantom, folder)
        series = attacks.read(folder)
        level = len(series.hu) // 2
        truth = phantom.truth.labels[level]
        found.append(Measured(series, level, np.isin(truth, (1, 2)), 1000.0))
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_a_series_that_can_be_scanned(attack, scenes, tmp_path):
    series = ATTACKS[attack](*scenes)
    attacks.write(series, tmp_path / "one", "ATTACKED")
    files = list((tmp_path / "one").iterdir())
    assert len(files) == len(series.hu)
    assert dicom.scan(tmp_path).n_files == len(files)
    if attack != AS_IT_IS:
        untouched = scenes[0].series
        same_pixels = np.array_equal(series.hu, untouched.hu)
        same_headers = [h.to_json() for h in series.headers] == [h.to_json() for h in untouched.headers]
        assert not (same_pixels and same_headers)


def test_the_page_tells_what_is_stored():
    lines = [attacks.Line(**line) for line in json.loads(attacks.RESULTS.read_text(encoding="utf-8"))]
    text = attacks.PAGE.read_text(encoding="utf-8")
    sections = {"attacks": lambda: attacks.page_table(lines)}
    assert refresh(attacks.PAGE.name, text, {attacks.PAGE.name: sections}, attacks.WRITER) == text
    unnoticed = {line.attack for line in lines if line.is_wrong_but_ok}
    assert all(attack.startswith(("spacing", "pixels")) for attack in unnoticed), "what the page says of it"
