"""Settings are checked, travel with the protocol, and are what the algorithms go by."""

import pickle
import tomllib

import numpy as np
import pytest
from pydantic import ValidationError

from glutseg.anatomy import Anatomy, Hips, Sphere, hip_flags, on_an_image
from glutseg.anatomy.landmarks import bone_of, pubic_symphysis_top
from glutseg.anatomy.sphere import slabs
from glutseg.case.localise import _measured_mm
from glutseg.errors import GlutsegError
from glutseg.image import CtImage, Geometry
from glutseg.protocol import Protocol, concise, load_protocol, to_toml
from glutseg.quality import check_outline
from glutseg.result import Level, MuscleResult, SliceMeasurement
from glutseg.segmentation import AUTOMATIC
from glutseg.settings import METHOD, Method, Settings

SECTIONS = {name: getattr(METHOD, name) for name in Method.model_fields}
UNITS = (
    "_mm",
    "_percent",
    "_mm2",
    "_mm3",
    "_hu",
    "_hu_per_mm",
    "_degrees",
    "_share",
    "_fit",
    "_cells",
    "_pixels",
    "_per_mm",
)


def fields(settings):
    """Every field of a section with its own settings below it."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        yield name, field, value
        if isinstance(value, Settings):
            yield from fields(value)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_says_what_it_means(section):
    assert type(SECTIONS[section]).__doc__
    without = [name for name, field, _ in fields(SECTIONS[section]) if not field.description]
    assert set(without) <= {"lateral_mm", "back_mm", "up_mm", "regions"}


@pytest.mark.parametrize("section", SECTIONS)
def test_a_length_names_its_unit(section):
    numbers = [name for name, _, v in fields(SECTIONS[section]) if isinstance(v, float) and v > 10]
    assert not [name for name in numbers if not name.endswith(UNITS) and "percentile" not in name]


@pytest.mark.parametrize(
    ("section", "values", "words"),
    [
        ("hips", {"head_distance_mm": [235, 120]}, "low < high"),
        ("hips", {"min_fit": 1.2}, "less than or equal to 1"),
        ("hips", {"min_fit": "nan"}, "finite"),
        ("hips", {"minimum_fit": 0.8}, "unknown key"),
        ("circles", {"head_radius_mm": [18, 40]}, "within circle_radius_mm"),
        ("surroundings", {"pelvic_regions": ["tail"]}, "tail"),
        ("surroundings", {"regions": {"head": {"bone_share": 2}}}, "bone_share"),
        ("head_fit", {"tolerances_mm": []}, "at least 1"),
        ("quality", {"area_mm2": [700]}, "area_mm2"),
        ("level", {"max_move_mm": -1}, "greater than 0"),
    ],
)
def test_a_value_that_is_none_is_refused_with_its_key(tmp_path, section, values, words):
    path = tmp_path / "p.toml"
    path.write_text(_toml(section, values))
    with pytest.raises(GlutsegError, match="protocol-invalid") as caught:
        load_protocol(path)
    assert words in caught.value.message
    assert f"method.{section}" in caught.value.message


def _toml(section, values):
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    return "\n".join(['name = "p"', f"[method.{section}]", *lines])


def _value(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + "}"
    return "nan" if value == "nan" else str(value).replace("'", '"')


def changed(**sections):
    """The method with other values: ``changed(hips={"min_fit": 0.9})``."""
    return Method.model_validate(sections)


def test_settings_survive_a_file_and_a_process(tmp_path):
    method = changed(hips={"min_fit": 0.9}, surroundings={"regions": {"neck": _neck(0.4)}})
    protocol = Protocol(name="p", method=method)
    path = tmp_path / "p.toml"
    path.write_text(to_toml(protocol))
    assert load_protocol(path) == protocol
    assert pickle.loads(pickle.dumps(protocol)) == protocol  # noqa: S301
    assert set(tomllib.loads(path.read_text())["method"]) == {"hips", "surroundings"}


def _neck(share):
    return METHOD.surroundings.regions.neck.model_dump() | {"bone_share": share}


def test_defaults_are_not_repeated():
    assert concise(load_protocol())["method"] == {}
    assert "method" not in to_toml(load_protocol())
    told = concise(Protocol(name="p", method=changed(level={"max_move_mm": 2})))
    assert told["method"] == {"level": {"max_move_mm": 2.0}}


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(ValidationError):
        METHOD.hips.min_fit = 0.5


HIPS = Hips(Sphere((90.0, 0.0, 0.0), 24.0, 0.5), Sphere((-90.0, 0.0, 5.0), 24.0, 0.5), 1.2)
GRID = Geometry((40, 8, 8), (3.0, 3.0, 3.0), (0.0, 0.0, -60.0))
IMAGE = CtImage(np.zeros(GRID.shape, np.int16), GRID)


def test_hips_go_by_their_settings():
    flags = hip_flags(Anatomy(IMAGE, HIPS, method=changed(level={"tilt_review_mm": 4})))
    assert [flag.code for flag in flags] == ["pelvis-tilted"]
    assert hip_flags(Anatomy(IMAGE, HIPS)) == ()


def test_a_level_goes_by_its_settings():
    level = Level("z", 5, GRID.slice_z_mm(5))
    assert on_an_image(level, GRID, {5}).slice_index == 4
    with pytest.raises(GlutsegError, match="level-in-gap"):
        on_an_image(level, GRID, {5}, changed(level={"max_move_mm": 2}).level)


def test_quality_goes_by_its_settings():
    measured = SliceMeasurement(3000.0, 3000.0, 2800.0, 100.0, 40.0, 20.0, -50.0, 120.0, 45.0)
    record = MuscleResult("maximus", "left", measurement=measured, error_bound_percent=9.0)
    assert check_outline(record, ()) == ()
    strict = changed(quality={"max_error_bound_percent": 8, "area_mm2": [700, 2000]}).quality
    codes = [flag.code for flag in check_outline(record, (), strict)]
    assert codes == ["outline-uncertain", "size-implausible"]


def test_what_is_read_goes_by_the_settings():
    near = Protocol(name="p", level={"profile_mm": 0}, method=changed(quality={"metal_reach_mm": 100}))
    low, high = _measured_mm(HIPS, HIPS.top_mm, near, AUTOMATIC)
    assert (low, high) == (HIPS.top_mm - 100, HIPS.top_mm + 100)


def test_landmarks_go_by_their_settings():
    bone = np.full(GRID.shape, 160, np.int16)
    image = CtImage(bone, GRID)
    softer = changed(landmarks={"bone_hu": 150}).landmarks
    assert not bone_of(image, HIPS, "left").mask.any()
    assert bone_of(image, HIPS, "left", softer).mask.all()
    assert pubic_symphysis_top(bone_of(image, HIPS, "left", softer)) is None  # it has no end


def test_slices_are_averaged_as_far_as_asked():
    assert slabs(IMAGE, slice_mm=6.0).geometry.spacing_mm[0] == 6.0
