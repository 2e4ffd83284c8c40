"""The same HU and geometry in every transfer syntax."""

import struct

import numpy as np
import pydicom
import pytest
from dicom_builder import ORIGIN, SPACING, ct_dataset, pattern, save, write_series
from dicom_encodings import LOSSLESS
from dicom_series_read import CANONICAL, ORIENTATIONS, codes, enhanced, load, write_oriented
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from glutseg import dicom
from glutseg.dicom.codestream import Codestream, inspect
from glutseg.errors import GlutsegError


@pytest.mark.parametrize("name", LOSSLESS)
def test_every_lossless_syntax_gives_the_same_volume(tmp_path, name):
    for path in write_series(tmp_path):
        LOSSLESS[name](path)
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern())
    assert loaded.geometry.matches(CANONICAL)
    assert loaded.flags == ()


@pytest.mark.parametrize("name", LOSSLESS)
def test_signed_pixels_in_every_lossless_syntax(tmp_path, name):
    def edit(ds, k):
        ds.PixelData = pattern()[k].astype(np.int16).tobytes()
        ds.PixelRepresentation, ds.RescaleIntercept = 1, 0

    for path in write_series(tmp_path, edit=edit):
        LOSSLESS[name](path)
    assert np.array_equal(load(tmp_path).hu, pattern())


@pytest.mark.parametrize("bits", [12, 13, 14, 15])
@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("name", [None, *LOSSLESS])
def test_twelve_to_sixteen_bits(tmp_path, name, is_signed, bits):
    def edit(ds, k):
        offset = 0 if is_signed else 1024
        ds.PixelData = (pattern()[k] + offset).astype(np.int16 if is_signed else np.uint16).tobytes()
        ds.PixelRepresentation, ds.RescaleIntercept = int(is_signed), -offset
        ds.BitsStored, ds.HighBit = bits, bits - 1

    for path in write_series(tmp_path, edit=edit):
        if name:
            LOSSLESS[name](path)
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern())
    assert loaded.flags == ()


@pytest.mark.parametrize("name", ["RLE", "JPEG-LS", "deflated"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_orientation_compressed_is_the_same_patient(tmp_path, orientation, name):
    write_oriented(tmp_path, ORIENTATIONS[orientation])
    for path in tmp_path.iterdir():
        LOSSLESS[name](path)
    canonical = load(tmp_path)
    assert canonical.geometry.matches(CANONICAL)
    assert np.array_equal(canonical.hu, pattern())


@pytest.mark.parametrize("name", ["implicit", "big endian", "deflated", "RLE", "JPEG-LS", "JPEG 2000"])
def test_every_syntax_of_a_multi_frame_file(tmp_path, name):
    LOSSLESS[name](save(enhanced(pattern()), tmp_path / "one"))
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern())
    assert loaded.geometry.matches(CANONICAL)


HTJ2K = bytes.fromhex(
    "ff4fff5100294000000000060000000800000000000000000000000600000008000000000000000000010f0101ff500008"
    "00020000000aff52000c00020001000504044001ff5c00132088909090909090909090909090888888ff64001700014f70"
    "656e4a50482056657220302e32362e332eff90000a0000000000430001ff93c00026e7fe050774000000c0001240001280"
    "fe277300f600077400a00009005a335300c0002580004ef0807514002afdc0248cb500ffd9"
)
"""The stored values of pattern()[0], by OpenJPH 0.26.3."""


def encapsulated(frame, syntax):
    def edit(ds, _):
        ds.PixelData = encapsulate([frame])
        ds["PixelData"].is_undefined_length = True
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = syntax

    return edit


def test_high_throughput_jpeg_2000(tmp_path):
    write_series(tmp_path, edit=encapsulated(HTJ2K, HTJ2KLossless))
    assert np.array_equal(load(tmp_path).hu, np.repeat(pattern()[:1], 5, axis=0))


JPEG_LS = {
    (8, False, 0): ("ffd8fff7000b080008000601011100ffda0008010100000000000001f6b7f134ac27c57c8fbbf9f4f8ffd9"),
    (12, False, 0): (
        "ffd8fff7000b0c0008000601011100ffda00080101000000000ef060c30c6642810410b518c6301133330226666044cc"
        "cc096db025b6c0ffd9"
    ),
    (12, True, 0): (
        "ffd8fff7000b0c0008000601011100ffda0008010100000000000000046830618633214082085a8c6318089999811333"
        "3022666604b6d812db60ffd9"
    ),
    (16, True, 0): (
        "ffd8fff7000b100008000601011100fff8000d01ffff0012004301140040ffda000801010000000038340180300c0301"
        "81900a0040100402854060301818011103030303004440c183060091060c1830091060c1830091060c186000ffd9"
    ),
    (12, False, 3): (
        "ffd8fff7000b0c0008000601011100ffda00080101000300001384494a1125046aca11fa129ae2c9faba40ffd9"
    ),
}
"""(Bits, signed, most difference): the stored values of pattern()[0], by pyjpegls 1.5.1."""


@pytest.mark.parametrize("coding", JPEG_LS)
def test_jpeg_ls_of_another_program(tmp_path, coding):
    bits, is_signed, most = coding
    syntax = JPEGLSNearLossless if most else JPEGLSLossless

    def edit(ds, k):
        encapsulated(bytes.fromhex(JPEG_LS[coding]), syntax)(ds, k)
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8 if bits == 8 else 16, bits, bits - 1
        ds.PixelRepresentation, ds.RescaleIntercept = int(is_signed), 0 if is_signed else -1024

    write_series(tmp_path, edit=edit)
    loaded = load(tmp_path)
    assert abs(loaded.hu[0].astype(int) - pattern()[0]).max() == most
    assert codes(loaded) == (["lossy-compressed"] if most else [])


def test_compressed_pixels_with_an_uncompressed_syntax_are_recognised(tmp_path):
    for path in write_series(tmp_path):
        LOSSLESS["JPEG-LS"](path)
        ds = pydicom.dcmread(path)
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        content = path.read_bytes()
        name = b"1.2.840.10008.1.2.4.80"
        assert name in content
        path.write_bytes(content.replace(name, b"1.2.840.10008.1.2.1\0\0\0"))
    assert np.array_equal(load(tmp_path).hu, pattern())


def test_native_pixels_with_a_compressed_syntax_are_refused(tmp_path):
    for path in write_series(tmp_path):
        content = path.read_bytes()
        at = content.index(b"1.2.840.10008.1.2.1\0")
        head = bytearray(
            content[: at - 2] + struct.pack("<H", 22) + b"1.2.840.10008.1.2.4.70" + content[at + 20 :]
        )
        head[140:144] = struct.pack("<I", struct.unpack("<I", content[140:144])[0] + 2)
        path.write_bytes(head)
    with pytest.raises(GlutsegError, match=r"pixel-data-undecodable.*JPEG Lossless.*not encapsulated"):
        load(tmp_path)


def jpeg_header(rows, columns, samples=1, bits=16):
    """Enough of a lossless JPEG for a decoder to allocate what it states."""
    sof = struct.pack(">HBHHB", 8 + 3 * samples, bits, rows, columns, samples) + b"\1\x11\0" * samples
    sos = struct.pack(">HB", 6 + 2 * samples, samples) + b"\1\0" * samples + b"\1\0\0"
    return b"\xff\xd8\xff\xc3" + sof + b"\xff\xda" + sos + bytes(20) + b"\xff\xd9"


def j2k_of_size(rows, columns):
    return HTJ2K[:8] + struct.pack(">II", columns, rows) + HTJ2K[16:]


@pytest.mark.parametrize(
    ("frame", "syntax"),
    [
        (jpeg_header(65535, 65535), "1.2.840.10008.1.2.4.70"),
        (jpeg_header(8, 7), "1.2.840.10008.1.2.4.57"),
        (j2k_of_size(2**31, 2**31), "1.2.840.10008.1.2.4.90"),
        (j2k_of_size(2**20, 2**20), "1.2.840.10008.1.2.4.201"),
    ],
)
def test_a_codestream_that_states_another_size_is_refused(tmp_path, frame, syntax):
    write_series(tmp_path, edit=encapsulated(frame, syntax))
    with pytest.raises(GlutsegError, match=r"pixel-data-undecodable.*the header states 8 x 6"):
        load(tmp_path)


@pytest.mark.parametrize("frame", [jpeg_header(8, 6, samples=3), jpeg_header(8, 6, bits=32)])
def test_a_codestream_of_another_depth_is_refused(tmp_path, frame):
    write_series(tmp_path, edit=encapsulated(frame, JPEGBaseline8Bit))
    with pytest.raises(GlutsegError, match=r"pixel-data-undecodable.*bits per pixel"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["JPEG-LS", "JPEG lossless"])
def test_a_codestream_with_a_piece_missing_is_refused(tmp_path, name, capfd):
    """The end marker is there, so that only the decoder can detect it."""
    paths = write_series(tmp_path, pattern((5, 40, 40)))
    for path in paths:
        LOSSLESS[name](path)
    ds = pydicom.dcmread(paths[4])
    frame = pydicom.encaps.get_frame(ds.PixelData, 0, number_of_frames=1).rstrip(b"\0")
    ds.PixelData = encapsulate([frame[: len(frame) * 2 // 3] + frame[-2:]])
    ds.save_as(paths[4])
    capfd.readouterr()
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern((5, 40, 40))[:4])
    assert codes(loaded) == ["file-unreadable"]
    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize("name", ["JPEG-LS", "JPEG 2000", "JPEG lossless"])
def test_a_truncated_codestream_is_refused(tmp_path, name):
    """Decoders fill the rest with something, so that the image looks right."""
    paths = write_series(tmp_path)
    for path in paths:
        LOSSLESS[name](path)
    ds = pydicom.dcmread(paths[4])
    frame = pydicom.encaps.get_frame(ds.PixelData, 0, number_of_frames=1)
    ds.PixelData = encapsulate([frame[: len(frame) * 3 // 4]])
    ds.save_as(paths[4])
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern()[:4])
    assert codes(loaded) == ["file-unreadable"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"\xff\xd8", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ", b""]))
def test_inspecting_any_bytes_raises_nothing(content, start):
    assert isinstance(inspect(start + content), Codestream | None)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(HTJ2K) - 1), value=st.integers(0, 255))
def test_inspecting_a_broken_codestream_raises_nothing(place, value):
    assert isinstance(inspect(HTJ2K[:place] + bytes([value]) + HTJ2K[place + 1 :]), Codestream | None)


@pytest.mark.parametrize("ratio", [None, "8", ["8", "2"]])
def test_lossy_compression_stated_by_the_header_is_flagged(tmp_path, ratio):
    write_series(
        tmp_path, LossyImageCompression="01", **({"LossyImageCompressionRatio": ratio} if ratio else {})
    )
    (flag,) = load(tmp_path).flags
    assert flag.code == "lossy-compressed"
    assert flag.severity == "note"
    assert ("8:1" in flag.message) == bool(ratio)


def high_bits(stored, bits, **tags):
    """A slice whose upper bits hold other data."""

    def edit(ds, _):
        ds.BitsStored, ds.HighBit = bits, bits - 1
        ds.PixelData = stored.astype(np.uint16).tobytes()
        for keyword, value in tags.items():
            if keyword.startswith("6000"):
                ds.add_new(int(keyword, 16), "US", value)
            else:
                ds.add_new(keyword, "US", value)

    return edit


PLAIN = (pattern()[0].astype(int) + 1024).astype(np.uint16)


def test_overlays_above_the_pixels_bits_are_masked(tmp_path):
    drawn = PLAIN | np.where(np.arange(48).reshape(8, 6) % 3, 0, 0x1000).astype(np.uint16)
    write_series(tmp_path, edit=high_bits(drawn, 12, **{"60000100": 16, "60000102": 12}))
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu[0], pattern()[0])
    assert loaded.flags == ()


def test_bits_above_bits_stored_that_are_no_overlay_are_flagged(tmp_path):
    drawn = PLAIN.copy()
    drawn[2, 3] |= 0x2000
    write_series(tmp_path, edit=high_bits(drawn, 12))
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu[0], pattern()[0])
    (flag,) = loaded.flags
    assert (flag.code, flag.severity) == ("pixel-bits-out-of-range", "review")
    assert flag.message.startswith("5 pixels")


def test_padding_outside_of_the_bits_stored_is_air(tmp_path):
    drawn = PLAIN.copy()
    drawn[0] = 63536  # -2000 as 16 bits without a sign
    write_series(tmp_path, edit=high_bits(drawn, 12, PixelPaddingValue=63536))
    loaded = load(tmp_path)
    assert (loaded.hu[0, 0] == -1024).all()
    assert np.array_equal(loaded.hu[0, 1:], pattern()[0, 1:])
    assert loaded.flags == ()


def test_twelve_bits_at_the_top_of_the_word(tmp_path):
    def edit(ds, k):
        ds.BitsStored, ds.HighBit = 12, 15
        ds.PixelData = ((pattern()[k].astype(int) + 1024) << 4).astype(np.uint16).tobytes()

    write_series(tmp_path, edit=edit)
    assert np.array_equal(load(tmp_path).hu, pattern())


@pytest.mark.parametrize(("stored", "high"), [(11, 11), (12, 12), (3, 11)])
def test_a_high_bit_that_is_not_that_of_the_pixels_asks_for_a_look(tmp_path, stored, high):
    """All values were halved, or worse, and nothing was said."""
    write_series(tmp_path, BitsStored=stored, HighBit=high)
    assert [flag.code for flag in load(tmp_path).flags] == ["pixel-bits-out-of-range"]


def test_negative_values_without_their_sign_extended(tmp_path):
    def edit(ds, k):
        ds.PixelRepresentation, ds.RescaleIntercept, ds.BitsStored, ds.HighBit = 1, 0, 12, 11
        ds.PixelData = (pattern()[k].astype(np.int16).view(np.uint16) & 0x0FFF).tobytes()

    write_series(tmp_path, edit=edit)
    loaded = load(tmp_path)
    assert np.array_equal(loaded.hu, pattern())
    assert loaded.flags == ()


@pytest.mark.parametrize("high", [10, 16, 40])
def test_an_impossible_high_bit_is_refused(tmp_path, high):
    write_series(tmp_path, BitsStored=12, HighBit=high)
    with pytest.raises(GlutsegError, match=r"pixel-data-undecodable.*high bit"):
        load(tmp_path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_signedness_depth_and_rescale_gives_the_same_hu(tmp_path_factory, data):
    """HU that every chosen storage can hold come back, each slice with its own rescale."""
    bits = data.draw(st.integers(12, 16))
    is_signed = data.draw(st.booleans())
    name = data.draw(st.sampled_from([None, *LOSSLESS]))
    low = -(2 ** (bits - 1)) if is_signed else 0
    intercepts = data.draw(st.lists(st.integers(-900 - low - 1500, -900 - low), min_size=5, max_size=5))

    def edit(ds, k):
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, bits - 1, int(is_signed)
        ds.RescaleIntercept = intercepts[k]
        stored = pattern()[k].astype(int) - intercepts[k]
        ds.PixelData = stored.astype(np.int16 if is_signed else np.uint16).tobytes()

    folder = tmp_path_factory.mktemp("any")
    for path in write_series(folder, edit=edit):
        if name:
            LOSSLESS[name](path)
    assert np.array_equal(load(folder).hu, pattern())


def test_frames_that_the_header_does_not_describe_are_not_guessed(tmp_path):
    ds = enhanced(pattern())
    ds.NumberOfFrames = 7
    save(ds, tmp_path / "one")
    with pytest.raises(GlutsegError, match="geometry-missing"):
        load(tmp_path)


def test_colour_is_refused(tmp_path):
    ds = ct_dataset(np.zeros((8, 6), np.uint16), ORIGIN, 1, SamplesPerPixel=3)
    for k in range(3):
        ds.ImagePositionPatient = [*ORIGIN[:2], ORIGIN[2] + k * SPACING[0]]
        ds.InstanceNumber = k
        save(ds, tmp_path / str(k))
    with pytest.raises(GlutsegError, match=r"pixel-data-undecodable.*samples"):
        dicom.read(dicom.scan(tmp_path).studies[0].series[0])
