"""`glutseg grow`: the mask of ITK, its measurements, and errors."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

import glutseg
from glutseg import cli, dicom
from glutseg.image import Mask
from glutseg.segmentation.growing import Bounds, Confidence, Interval, Neighborhood, Seed, grow_region


def grow(*args):
    return CliRunner().invoke(cli.app, ["grow", *map(str, args)])


@pytest.fixture
def series(stage, tmp_path):
    return stage.write(tmp_path / "series")


@pytest.fixture
def seed(small_phantom):
    z, y, x = np.argwhere(small_phantom.truth.labels == 1).mean(0).round().astype(int)
    return Seed(int(x), int(y), int(z))


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ([], Interval()),
        (["--interval", 60], Interval(interval_hu=60)),
        (["--method", "bounds", "--lower", -29, "--upper", 150], Bounds(lower_hu=-29, upper_hu=150)),
        (
            ["--method", "neighborhood", "--lower", -190, "--upper", 300, "--radius", 1],
            Neighborhood(lower_hu=-190, upper_hu=300, radius_px=1),
        ),
        (
            ["--method", "confidence", "--multiplier", 1.5, "--iterations", 3, "--initial-radius", 1],
            Confidence(multiplier=1.5, iterations=3, initial_radius_px=1),
        ),
    ],
)
@pytest.mark.parametrize("depth", [[], ["--3d"]])
def test_command_writes_itks_mask(small_phantom, series, seed, tmp_path, options, how, depth):
    out = tmp_path / "region.nii.gz"
    done = grow(series, "--seed", ",".join(map(str, seed)), *options, *depth, "-o", out, "--json")
    assert done.exit_code == 0, done.output
    volume = glutseg.load(series)
    np.testing.assert_array_equal(volume.hu, small_phantom.volume.hu)
    written = Mask.from_sitk(sitk.ReadImage(str(out)))
    assert written.geometry.matches(volume.geometry)
    expected = grow_region(volume, seed, how, is_3d=bool(depth))
    np.testing.assert_array_equal(written.labels, expected.labels)
    record = json.loads(done.stdout)
    assert record["settings"] == how.model_dump()
    assert record["mode"] == ("3d" if depth else "2d")
    assert record["seed"]["value_hu"] == volume.hu[seed.z, seed.y, seed.x]
    assert record["readout"]["n_pixels"] == int(expected.labels.sum())
    if not depth:
        pixel_mm2 = volume.geometry.pixel_area_mm2
        assert record["readout"]["area_mm2"] == pytest.approx(int(expected.labels.sum()) * pixel_mm2)


def test_command_prints_measurements_and_accepts_a_height(series, seed):
    volume = glutseg.load(series)
    z_mm = volume.geometry.slice_z_mm(seed.z)
    shown = grow(series, "--seed", f"{seed.x},{seed.y}", "--z-mm", z_mm)
    assert shown.exit_code == 0, shown.output
    region = glutseg.grow(volume, seed)
    assert f"slice {seed.z} " in shown.stdout
    assert f"{region.readout.area_mm2:.3f} mm²" in shown.stdout
    assert f"{region.readout.sd_hu:.3f} HU" in shown.stdout
    assert "DOE" not in shown.stdout


def test_command_on_one_slice_needs_no_z(series, seed, tmp_path):
    files = sorted(series.iterdir())
    alone = grow(files[3], "--seed", f"{seed.x},{seed.y}", "--json")
    assert alone.exit_code == 0, alone.output
    record = json.loads(alone.stdout)
    z_mm = record["seed"]["z_mm"]
    whole = grow(series, "--seed", f"{seed.x},{seed.y}", "--z-mm", z_mm, "--json")
    assert json.loads(whole.stdout)["readout"] == record["readout"]
    assert json.loads(whole.stdout)["seed"]["z_mm"] == pytest.approx(z_mm)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--seed", "96,0,0"], "seed-outside"),
        (["--seed", "-1,0,0"], "seed-outside"),
        (["--seed", "1,2"], "seed-invalid"),
        (["--seed", "a,b,c"], "seed-invalid"),
        (["--seed", "1,2,3", "--z-mm", "0"], "seed-invalid"),
        (["--seed", "1,2,3", "--method", "bounds", "--lower", "1"], "bounds-missing"),
        (["--seed", "1,2,3", "--method", "bounds", "--lower", "3", "--upper", "1"], "bounds-reversed"),
        (["--seed", "1,2,3", "--method", "[red]\x1b[2J"], "growing-invalid"),
        (["--seed", "1,2,3", "--radius", "2"], "growing-invalid"),
        (["--seed", "1,2,3", "--series-uid", "1.2.3"], "series-unknown"),
        (["--seed", "1,2,3", "--method", "bounds", "--lower", "2999", "--upper", "3000"], "region-empty"),
        (["--seed", "1,2,3", "-o", "mask.png"], "output-unwritable"),
    ],
)
def test_user_errors_have_their_code_and_write_nothing(series, tmp_path, monkeypatch, args, code):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    out = [] if "-o" in args else ["-o", "mask.nii.gz"]
    done = grow(series, *args, *out)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"glutseg: {code}: ")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_several_series_need_a_series_uid(stage, tmp_path):
    stage.write(tmp_path / "in" / "a", patient_id="a")
    stage.write(tmp_path / "in" / "b", patient_id="b", position="FFS")
    refused = grow(tmp_path / "in", "--seed", "40,40,3")
    assert refused.exit_code == 1
    assert "series-ambiguous: 2 series" in refused.stderr
    uids = {s.series_uid for t in dicom.scan(tmp_path / "in").studies for s in t.series}
    assert len(uids) == 2
    for uid in uids:
        named = grow(tmp_path / "in", "--seed", "40,40,3", "--series-uid", uid, "--json")
        assert named.exit_code == 0, named.output
        assert json.loads(named.stdout)["series_uid"] == uid


def test_an_existing_mask_is_kept(series, tmp_path):
    out = tmp_path / "mask.nii.gz"
    out.write_bytes(b"mine")
    refused = grow(series, "--seed", "1,2,3", "-o", out)
    assert "output-exists" in refused.stderr
    assert out.read_bytes() == b"mine"
    assert grow(series, "--seed", "1,2,3", "-o", out, "--overwrite").exit_code == 0
    first = out.read_bytes()
    grow(series, "--seed", "1,2,3", "-o", out, "--overwrite")
    assert out.read_bytes() == first  # same input, same bytes


def test_nothing_to_read(tmp_path):
    assert "input-missing" in grow(tmp_path / "nowhere", "--seed", "1,2,3").stderr
    assert "input-empty" in grow(tmp_path, "--seed", "1,2,3").stderr


def test_help_states_the_default_settings():
    fields = {
        "interval": Interval().interval_hu,
        "radius": Neighborhood(lower_hu=0, upper_hu=1).radius_px,
        "multiplier": Confidence().multiplier,
        "iterations": Confidence().iterations,
        "initial_radius": Confidence().initial_radius_px,
    }
    hints = cli.tools.grow.__annotations__
    for name, default in fields.items():
        assert f"[{default:g}]" in hints[name], name
