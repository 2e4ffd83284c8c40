"""The walk over the bytes of a header finds what pydicom's reader does, or leaves the file to it."""

import io
import struct

import pytest
from dicom_builder import ct_dataset, pattern, save, write_series
from dicom_encodings import LOSSLESS
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from glutseg.dicom import header, parse
from glutseg.dicom.decode import TAGS as PIXEL_TAGS
from glutseg.dicom.header import TAGS, HeaderReader
from glutseg.dicom.source import Opener, Source

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


def header_of(path):
    with Opener() as opener:
        return HeaderReader(opener).read(Source(path))


def by_pydicom(monkeypatch, read):
    """What ``read`` gives where nothing is plain."""
    with monkeypatch.context() as patch:
        for module in (header, parse):
            patch.setattr(module, "find_plain", lambda *_, **__: None)
        return read()


def plain(path, tags=TAGS, **how):
    return parse.find_plain(path.read_bytes(), tags, is_whole=True, **how)


def nested(depth):
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedSeriesSequence = Sequence([item, Dataset()])
        for one in outer.ReferencedSeriesSequence:
            one.is_undefined_length_sequence_item = True
        outer["ReferencedSeriesSequence"].is_undefined_length = True
        item = outer
    return item


@pytest.mark.parametrize("name", LOSSLESS)
def test_headers_in_every_syntax_are_those_of_pydicom(tmp_path, name, monkeypatch):
    for path in write_series(tmp_path, AcquisitionNumber=2, PixelPaddingValue=63536, KVP="120"):
        LOSSLESS[name](path)
        assert repr(header_of(path)) == repr(by_pydicom(monkeypatch, lambda p=path: header_of(p)))


@pytest.mark.parametrize("name", LOSSLESS)
def test_pixels_in_every_syntax_are_those_of_pydicom(tmp_path, name, monkeypatch):
    path = write_series(tmp_path)[0]
    LOSSLESS[name](path)

    def read():
        parsed = parse.parse(io.BytesIO(path.read_bytes()), PIXEL_TAGS, 10**6, with_pixels=True)
        pixels = parsed.dataset[0x7FE00010]
        return parsed.syntax, pixels.value, pixels.is_undefined_length, parsed.dataset.Rows

    assert read() == by_pydicom(monkeypatch, read)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("charset", [None, "ISO_IR 100", "ISO_IR 192", "no charset"])
def test_texts_in_another_character_set_are_those_of_pydicom(tmp_path, syntax, charset, monkeypatch):
    ds = ct_dataset(pattern()[0].astype("<u2"), (0, 0, 0), 1, SeriesDescription="Hüfte")
    ds.SpecificCharacterSet = charset or "ISO_IR 100"
    path = save(ds, tmp_path / "x", syntax)
    if charset == "no charset":
        path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"NOTHING   "))
    assert repr(header_of(path)) == repr(by_pydicom(monkeypatch, lambda: header_of(path)))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_sequences_of_undefined_length_are_passed_over(tmp_path, syntax):
    ds = ct_dataset(pattern()[0].astype("<u2"), (0, 0, 0), 1)
    ds.update(nested(3))
    path = save(ds, tmp_path / "x", syntax)
    assert plain(path) is not None
    assert header_of(path).slices[0].rows == 8


def test_a_long_sequence_that_is_not_wanted_is_never_read(tmp_path, monkeypatch):
    """A hundred thousand empty items took seconds per file: pydicom makes a data set of each."""
    ds = ct_dataset(pattern()[0].astype("<u2"), (0, 0, 0), 1)
    ds.ReferencedImageSequence = [Dataset()] * 20_000
    ds["ReferencedImageSequence"].is_undefined_length = True
    path = save(ds, tmp_path / "x")
    assert path.stat().st_size > 2 * parse.FIRST_BYTES
    monkeypatch.setattr(parse, "read_dataset", None)
    assert header_of(path).slices[0].rows == 8


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_cut_of_a_header_is_plain_or_left_to_pydicom(tmp_path, syntax, monkeypatch):
    path = save(ct_dataset(pattern()[0].astype("<u2"), (0, 0, 0), 1), tmp_path / "x", syntax)
    content = path.read_bytes()
    for length in range(130, len(content), 19):
        path.write_bytes(content[:length])
        assert repr(header_of(path)) == repr(by_pydicom(monkeypatch, lambda: header_of(path)))


def test_what_is_too_deep_or_of_an_unknown_kind_is_not_plain(tmp_path):
    ds = ct_dataset(pattern()[0].astype("<u2"), (0, 0, 0), 1)
    ds.update(nested(20))
    path = save(ds, tmp_path / "x")
    assert plain(path) is None
    path = save(ct_dataset(pattern()[0].astype("<u2"), (0, 0, 0), 1), tmp_path / "y")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x08\x00\x60\x00CS", b"\x08\x00\x60\x00ZZ"))
    assert plain(path) is None
    assert header_of(path).slices


def test_a_header_longer_than_the_first_read_is_read_all_the_same(tmp_path):
    ds = ct_dataset(pattern()[0].astype("<u2"), (0, 0, 0), 1)
    ds.add_new(0x00091010, "OB", bytes(parse.FIRST_BYTES))
    assert header_of(save(ds, tmp_path / "x")).slices[0].columns == 6


def test_images_of_a_series_share_what_is_the_same(tmp_path):
    with Opener() as opener:
        reader = HeaderReader(opener)
        first, second = (reader.read(Source(path)) for path in write_series(tmp_path)[:2])
    assert first.tags is second.tags
    assert first.slices[0].orientation is second.slices[0].orientation
    assert first.slices[0].sop_uid != second.slices[0].sop_uid
    assert first.slices[0].position_mm[2] + 3 == second.slices[0].position_mm[2]


def test_values_that_differ_in_sign_or_character_set_are_not_shared(tmp_path):
    paths = write_series(tmp_path, RescaleIntercept="-0.0")
    save(ct_dataset(pattern()[0].astype("<u2"), (0, 0, 0), 1, RescaleIntercept="0.0"), paths[1])
    with Opener() as opener:
        reader = HeaderReader(opener)
        found = [reader.read(Source(path)) for path in paths[:2]]
    assert [repr(one) for one in found] == [repr(header_of(path)) for path in paths[:2]]
    assert repr(found[0].slices[0].rescale) == "(1.0, -0.0)"
    assert repr(found[1].slices[0].rescale) == "(1.0, 0.0)"


def twice(ds, keyword, path, syntax):
    """Save a data set in which an element stands twice, with another value the second time."""
    save(ds, path, syntax)
    content, order = path.read_bytes(), ">" if syntax == ExplicitVRBigEndian else "<"
    tag = tag_for_keyword(keyword)
    at = content.index(struct.pack(order + "HH", tag >> 16, tag & 0xFFFF))
    length = struct.unpack_from(order + "H", content, at + 6)[0]
    end = at + 8 + length
    second = content[at : at + 8] + content[at + 8 : end].replace(b"8", b"9").replace(b"\0\x08", b"\0\x10")
    path.write_bytes(content[:end] + second + content[end:])
    return path


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(("keyword", "tag"), [("PixelSpacing", "(0028,0030)"), ("Rows", "(0028,0010)")])
def test_an_element_that_stands_twice_makes_a_file_unreadable(tmp_path, syntax, keyword, tag):
    ds = ct_dataset(pattern()[0].astype(">u2" if syntax == ExplicitVRBigEndian else "<u2"), (0, 0, 0), 1)
    path = twice(ds, keyword, tmp_path / "x", syntax)
    problem = header_of(path)
    assert (problem.code, problem.message) == (
        "file-unreadable",
        f"the element {tag} stands twice in the header",
    )


def test_an_element_that_is_not_read_may_stand_twice(tmp_path):
    ds = ct_dataset(pattern()[0].astype("<u2"), (0, 0, 0), 1, StationName="8")
    path = twice(ds, "StationName", tmp_path / "x", ExplicitVRLittleEndian)
    assert header_of(path).slices[0].rows == 8
