import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from glutseg.errors import GlutsegError
from glutseg.protocol import (
    MAX_PROTOCOL_BYTES,
    ExtentRule,
    Protocol,
    builtin_protocols,
    load_protocol,
    to_toml,
    with_extent,
    with_level,
    with_series,
)

PROMISED = {"femoral-head-top", "si-joint-end", "acetabular-roof", "greater-trochanter-tip", "peak-area"}


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_promised_protocols_are_there_and_valid():
    assert set(builtin_protocols()) >= PROMISED
    for name in builtin_protocols():
        protocol = load_protocol(name)
        assert protocol.name == name
        assert protocol.level.landmark == name
        assert protocol.description


def test_no_protocol_claims_to_be_the_2017_study():
    for path in builtin_protocols().values():
        assert "2017" not in path.read_text(encoding="utf-8")


def test_default_measures_at_the_femoral_heads():
    assert load_protocol().level.landmark == "femoral-head-top"


def test_own_file(toml):
    path = toml('name = "mine"\n[level]\nlandmark = "z"\nz_mm = -12.5\n[tissue]\nmuscle_hu = [0, 100]\n')
    protocol = load_protocol(path)
    assert (protocol.level.z_mm, protocol.tissue.muscle_hu) == (-12.5, (0, 100))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('name = "a"\nlevle = 1\n', "unknown key 'levle'"),
        ('name = "a"\n[level]\nlandmrk = "x"\n', "unknown key 'level.landmrk'"),
        ('name = "a"\n[level]\nlandmark = "nose"\n', "level.landmark"),
        ('name = "a"\n[level]\nprofile_mm = 400\n', "level.profile_mm"),
        ('name = "a"\n[level]\nlandmark = "z"\n', "z_mm"),
        ('name = "a"\n[level]\nslice_index = 3\n', "slice_index"),
        ('name = "a"\n[level]\nlandmark = "z"\nz_mm = nan\n', "z_mm"),
        ('name = "a"\n[series]\nmax_slice_spacing_mm = 0\n', "series.max_slice_spacing_mm"),
        ('name = "a"\n[tissue]\nmuscle_hu = [150, -29]\n', "muscle_hu"),
        ('name = "../../x"\n', "name"),
        ("", "name"),
        ("name = \n", "TOML"),
    ],
)
def test_bad_files_name_the_key(toml, text, named):
    with pytest.raises(GlutsegError, match="protocol-invalid") as caught:
        load_protocol(toml(text))
    assert named in caught.value.message
    assert "mine.toml" in caught.value.where


def test_huge_and_unreadable_files_are_refused(toml, tmp_path):
    with pytest.raises(GlutsegError, match="too large"):
        load_protocol(toml("#" * (MAX_PROTOCOL_BYTES + 1)))
    (tmp_path / "latin.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(GlutsegError, match="protocol-invalid"):
        load_protocol(tmp_path / "latin.toml")


@pytest.mark.parametrize("name", ["nonsense", "../configs/femoral-head-top", "none.toml", ""])
def test_unknown_names_list_the_known(name):
    with pytest.raises(GlutsegError, match="protocol-unknown") as caught:
        load_protocol(name)
    assert "si-joint-end" in caught.value.message


@pytest.mark.parametrize(
    ("text", "landmark", "value"),
    [
        ("si-joint-end", "si-joint-end", None),
        ("z=-12.5", "z", -12.5),
        ("z = 40 mm", "z", 40.0),
        ("slice=12", "slice", 12),
    ],
)
def test_level_by_hand(text, landmark, value):
    protocol = load_protocol()
    level = with_level(protocol, text).level
    assert level.landmark == landmark
    assert (level.z_mm if landmark == "z" else level.slice_index) == value
    assert level.profile_mm == protocol.level.profile_mm
    assert protocol.level.landmark == "femoral-head-top"  # the given one is left as it is


@pytest.mark.parametrize(
    "text", ["", "nose", "z", "slice", "z=", "z=high", "z=inf", "slice=-1", "slice=1.5", "x=3", "z=1=2"]
)
def test_bad_levels_are_named(text):
    with pytest.raises(GlutsegError, match="protocol-invalid") as caught:
        with_level(load_protocol(), text)
    assert "femoral-head-top" in caught.value.message


def test_protocols_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Protocol(name="a").name = "b"  # type: ignore[misc]


def test_extent_is_widened_and_never_narrowed():
    plain = load_protocol()
    assert plain.extent == ExtentRule()
    assert with_extent(plain) == plain
    both = with_extent(with_extent(plain, muscles=True), whole_muscle=True)
    assert both.extent == ExtentRule(muscles=("maximus", "medius", "minimus"), whole_muscle=True)
    assert with_extent(both) == both


@pytest.mark.parametrize("muscles", [(), ("medius",), ("maximus", "maximus"), ("maximus", "biceps")])
def test_the_gluteus_maximus_is_always_measured(muscles):
    with pytest.raises(ValidationError):
        ExtentRule(muscles=muscles)


@pytest.mark.parametrize("uids", [[""], ["1" * 65], ["1.2"] * 1001])
def test_what_is_no_series_uid_is_refused(uids):
    with pytest.raises(GlutsegError, match="protocol-invalid"):
        with_series(load_protocol(), uids)


def test_patterns_are_read_and_bounded(tmp_path):
    file = tmp_path / "p.toml"
    file.write_text('name = "p"\n[series]\nkernel_include = ["B3*", "STANDARD"]\n', encoding="utf-8")
    assert load_protocol(file).series.kernel_include == ("B3*", "STANDARD")
    for bad in ('["' + "*" * 65 + '"]', '[""]', str(["a"] * 33), '"B30f"'):
        file.write_text(f'name = "p"\n[series]\nkernel_include = {bad}\n', encoding="utf-8")
        with pytest.raises(GlutsegError, match="kernel_include"):
            load_protocol(file)


@given(
    st.text(max_size=50),
    st.lists(st.text(min_size=1, max_size=9), max_size=2),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_protocol_written_is_the_same_read(tmp_path_factory, description, patterns, z_mm):
    protocol = Protocol.model_validate(
        {
            "name": "any",
            "description": description.encode("utf-8", "ignore").decode(),
            "level": {"landmark": "z", "z_mm": z_mm},
            "series": {"kernel_include": [p.encode("utf-8", "replace").decode() for p in patterns]},
        }
    )
    written = to_toml(protocol)
    assert written.replace("\n", "").isprintable()
    path = tmp_path_factory.mktemp("protocol") / "any.toml"
    path.write_text(written, encoding="utf-8")
    assert load_protocol(path) == protocol
