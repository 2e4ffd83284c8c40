"""Malicious or damaged files: no crash, no hang, no excessive memory, no patient's name in messages."""

import itertools
import os
import struct
import sys
import zlib

import numpy as np
import pydicom
import pytest
from dicom_builder import pattern, write_series
from dicom_encodings import LOSSLESS
from dicom_series_read import codes, load
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from glutseg.dicom import read, scan
from glutseg.dicom.parse import TooLargeError
from glutseg.dicom.parse import parse as parse_stream
from glutseg.dicom.quiet import quiet_pydicom
from glutseg.errors import GlutsegError


def element(tag, vr, value, length=None):
    size = len(value) if length is None else length
    form = "<HH2sHI" if vr in (b"OB", b"OW", b"SQ", b"UN", b"UT") else "<HH2sH"
    sizes = (0, size) if form.endswith("HI") else (size,)
    return struct.pack(form, tag >> 16, tag & 0xFFFF, vr, *sizes) + value


def restated(path, syntax):
    """Another transfer syntax in the file meta, the data set as it was."""
    content = path.read_bytes()
    start = 144 + struct.unpack("<I", content[140:144])[0]
    meta = element(0x00020010, b"UI", syntax + b"\0" * (len(syntax) % 2)) if syntax else b""
    path.write_bytes(bytes(128) + b"DICM" + meta + content[start:])


@pytest.mark.parametrize(
    "stated",
    [b"", b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99"],
)
@pytest.mark.parametrize("name", [None, "implicit", "big endian"])
def test_a_wrong_or_missing_transfer_syntax_is_corrected(tmp_path, name, stated):
    for path in write_series(tmp_path):
        if name:
            LOSSLESS[name](path)
        restated(path, stated)
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern())
    assert loaded.flags == ()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_without_preamble_and_file_meta(tmp_path, syntax):
    for path in write_series(tmp_path):
        if syntax == ExplicitVRBigEndian:
            LOSSLESS["big endian"](path)
        content = path.read_bytes()
        path.write_bytes(content[144 + struct.unpack("<I", content[140:144])[0] :])
    assert np.array_equal(load(tmp_path).hu, pattern())


def deflated(path, content):
    """A file whose data set inflates to this."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflater.compress(content) + deflater.flush()
    syntax = element(0x00020010, b"UI", b"1.2.840.10008.1.2.1.99\0\0"[:22])
    path.write_bytes(bytes(128) + b"DICM" + syntax + packed)
    return path


def test_a_deflate_bomb_takes_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["glutseg.dicom.slices"], "HEADER_BUDGET_BYTES", 2**20)
    for path in write_series(tmp_path):
        content = path.read_bytes()
        start = 144 + struct.unpack("<I", content[140:144])[0]
        deflated(path, content[start:] + bytes(2**23))
    with pytest.raises(GlutsegError, match=r"pixel-data-undecodable.*TooLargeError"):
        load(tmp_path)


def test_a_truncated_deflated_data_set_is_a_gap(tmp_path):
    paths = write_series(tmp_path)
    for path in paths:
        LOSSLESS["deflated"](path)
    paths[4].write_bytes(paths[4].read_bytes()[:-8])
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern()[:4])
    assert codes(loaded) == ["file-unreadable"]


@pytest.mark.parametrize("length", [0x7FFFFFFE, 0xFFFFFFFE])
@pytest.mark.parametrize("tag", [0x00100020, 0x00189999, 0x7FE00010])
def test_lengths_beyond_the_file_take_no_memory(tmp_path, tag, length):
    paths = write_series(tmp_path)
    content = paths[2].read_bytes()
    cut = content.index(struct.pack("<HH", 0x0020, 0x000D))
    paths[2].write_bytes(content[:cut] + element(tag, b"UN", content[cut:], length))
    index = scan(tmp_path)
    assert index.problems or len(index.studies) > 1 or index.studies[0].series[0].flags
    for study, k in itertools.product(index.studies, range(2)):
        if k < len(study.series) and study.series[k].geometry:
            read(study.series[k])


def test_an_element_may_not_be_longer_than_its_budget(tmp_path):
    (path, *_) = write_series(tmp_path)
    with path.open("rb") as file, pytest.raises(TooLargeError):
        parse_stream(file, [0x00100020], 300)


def test_a_huge_sparse_file_takes_no_memory(tmp_path):
    """A terabyte of zeros after an encapsulated image without an end."""
    paths = write_series(tmp_path)
    LOSSLESS["RLE"](paths[4])
    content = paths[4].read_bytes()
    with paths[4].open("wb") as file:
        file.write(content[: content.index(b"\xe0\x7f\x10\x00") + 12])
        file.truncate(2**40)
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern()[:4])


def test_sequences_nested_without_end(tmp_path):
    paths = write_series(tmp_path)
    deep = b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 20_000
    content = paths[4].read_bytes()
    cut = content.index(struct.pack("<HH", 0x0028, 0x0002))
    paths[4].write_bytes(content[:cut] + deep + content[cut:])
    index = scan(tmp_path)
    assert [p.source.path for p in index.problems] == [paths[4]] or index.studies[0].series[0].flags


def test_a_sequence_of_a_hundred_thousand_items(tmp_path):
    paths = write_series(tmp_path)
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * 100_000
    content = paths[4].read_bytes()
    cut = content.index(struct.pack("<HH", 0x7FE0, 0x0010))
    sequence = element(0x52009230, b"SQ", items)
    paths[4].write_bytes(content[:cut] + sequence + content[cut:])
    assert len(load(tmp_path).sop_uids) == 4


@pytest.mark.parametrize("at_share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", [None, "big endian", "RLE"])
def test_pixels_shifted_by_inserted_bytes_are_refused(tmp_path, name, at_share):
    """Bytes inserted before the end leave as many after it."""
    paths = write_series(tmp_path, pattern((5, 40, 40)) % 800)
    if name:
        LOSSLESS[name](paths[4])
    content = paths[4].read_bytes()
    at = len(content) - int((1 - at_share) * 2 * 1600 * (0.5 if name == "RLE" else 1))
    paths[4].write_bytes(content[:at] + content[at - 64 : at] + content[at:])
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern((5, 40, 40))[:4] % 800)
    assert codes(loaded) == ["file-unreadable"]


@pytest.mark.parametrize("tail", [bytes(700), b"\xfc\xff\xfc\xffOB\0\0\4\0\0\0abcd"])
def test_padding_after_the_pixels_is_accepted(tmp_path, tail):
    for path in write_series(tmp_path):
        path.write_bytes(path.read_bytes() + tail)
    assert np.array_equal(load(tmp_path).hu, pattern())


@pytest.mark.parametrize("rows", [0, 1, 65535])
def test_absurd_rows_affect_no_other_slice(tmp_path, rows):
    paths = write_series(tmp_path)
    ds = pydicom.dcmread(paths[4])
    ds.Rows = rows
    ds.save_as(paths[4])
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern()[:4])
    assert set(codes(loaded)) <= {"file-unreadable", "series-mixed"}
    assert codes(loaded)


def test_absurd_dimensions_of_a_whole_series(tmp_path):
    write_series(tmp_path, Rows=65535, Columns=65535)
    with pytest.raises(GlutsegError, match="image-too-large"):
        load(tmp_path)


def test_an_absurd_number_of_frames(tmp_path):
    for path in write_series(tmp_path):
        ds = pydicom.dcmread(path)
        ds.NumberOfFrames = 2**31 - 1
        ds.save_as(path)
    with pytest.raises(GlutsegError, match="geometry-missing"):
        load(tmp_path)


@pytest.mark.parametrize("tags", [{"Rows": 0}, {"Rows": 0, "SOPClassUID": "1.2>3"}])
def test_a_file_without_an_image_is_reported(tmp_path, tags):
    paths = write_series(tmp_path)
    ds = pydicom.dcmread(paths[4])
    with quiet_pydicom():
        for keyword, value in tags.items():
            setattr(ds, keyword, value)
        ds.save_as(paths[4])
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern()[:4])
    assert codes(loaded) == ["file-unreadable"]


CHARACTER_SETS = {
    "ISO_IR 100": "Müller".encode("latin-1"),
    "ISO_IR 192": "Ünïcode 山田".encode(),
    "GB18030": "王小东".encode("gb18030"),
    "\\ISO 2022 IR 87": b"\x1b$B;3ED\x1b(B",
    "ISO_IR 999": b"\xff\xfe\x80",
    "ISO_IR 192 ": b"\xff\xfe\x80broken",
}


@pytest.mark.parametrize("name", CHARACTER_SETS)
def test_other_character_sets(tmp_path, name):
    value = CHARACTER_SETS[name]
    for path in write_series(tmp_path):
        content = path.read_bytes()
        start = 144 + struct.unpack("<I", content[140:144])[0]
        at = content.index(struct.pack("<HH", 0x0010, 0x0020))
        charset = name.encode().ljust(len(name) + len(name) % 2)
        new = element(0x00100020, b"LO", value + b" " * (len(value) % 2))
        before = element(0x00080005, b"CS", charset) + content[start:at]
        path.write_bytes(content[:start] + before + new + content[at + 10 :])
    (study,) = scan(tmp_path).studies
    assert study.patient_id.isprintable()
    assert study.patient_id
    assert np.array_equal(load(tmp_path).hu, pattern())


def test_hostile_file_names_are_read_and_shown_harmlessly(tmp_path):
    paths = write_series(tmp_path / "plain")
    for k, path in enumerate(paths):
        name = [b"\xff\xfe", b"a\nb", b"<script>", b"\x1b[2J", b"'; rm -rf ~"][k]
        path.rename(os.fsdecode(os.fsencode(path.parent) + b"/" + name))
    assert np.array_equal(load(tmp_path).hu, pattern())


def test_an_unreadable_file_is_a_problem(tmp_path, monkeypatch):
    paths = write_series(tmp_path)
    real = type(paths[0]).open

    def refuse(self, *args, **kwargs):
        if self == paths[4]:
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(type(paths[0]), "open", refuse)
    index = scan(tmp_path)
    assert [(p.source.path, p.code) for p in index.problems] == [(paths[4], "file-unreadable")]
    assert index.studies[0].series[0].n_images == 4


def test_a_file_that_vanishes_while_being_scanned(tmp_path):
    paths = write_series(tmp_path)

    def vanish(done, _):
        if done == 2:
            paths[4].unlink()

    index = scan(tmp_path, progress=vanish)
    assert [p.source.path for p in index.problems] == [paths[4]]


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_pipes_and_devices_are_never_opened(tmp_path, kind):
    if kind == "fifo":
        os.mkfifo(tmp_path / "x")
    else:
        (tmp_path / "x").symlink_to("/dev/zero")
    for given_path in (tmp_path, tmp_path / "x"):
        index = scan(given_path)
        assert (index.n_files, index.studies) == (0, ())


def test_a_patients_name_within_a_broken_header_is_in_no_message(tmp_path, caplog, capfd):
    for k, path in enumerate(write_series(tmp_path)):
        content = path.read_bytes()
        path.write_bytes(content[: content.index(b"SECRET") + 3 + k * 2])
    index = scan(tmp_path)
    told = repr(index) + caplog.text + "".join(capfd.readouterr())
    assert index.problems
    assert "SEC" not in told


STARTS = [b"", bytes(128) + b"DICM", b"\x08\0\5\0CS\4\0abcd", b"PK\3\4", b"\x02\0\0\0UL"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.sampled_from(STARTS))
def test_any_bytes_are_scanned_without_an_error(tmp_path_factory, content, start):
    folder = tmp_path_factory.mktemp("any")
    (folder / "x").write_bytes(start + content)
    index = scan(folder)
    assert index.n_files == 1 or index.problems
