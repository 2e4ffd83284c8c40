"""Zip archives: the same series, nothing unpacked to disk, no bomb."""

import struct
import zipfile
from itertools import product

import numpy as np
import pytest
from dicom_builder import pattern, save, write_series
from dicom_series_read import CANONICAL, codes, enhanced, load

from glutseg.dicom import archive, scan
from glutseg.dicom.archive import check_member, open_archive


def pack(target, folder, method=zipfile.ZIP_DEFLATED, inside=""):
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", method) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, inside + path.relative_to(folder).as_posix())
    return target


def messages(index):
    return [(str(p.source).rpartition("/")[2], p.code, p.message) for p in index.problems]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["in/a.zip", "in/without extension"])
def test_a_zipped_series_is_the_same_series(tmp_path, method, name):
    write_series(tmp_path / "plain")
    target = pack(tmp_path / name, tmp_path / "plain", method, "deep/er/")
    for given in (target, tmp_path / "in"):
        loaded = load(given)
        assert np.array_equal(loaded.hu, pattern())
        assert loaded.geometry.matches(CANONICAL)
        assert loaded.flags == ()


def test_a_zip_beside_other_files(tmp_path):
    write_series(tmp_path / "in" / "plain")
    write_series(tmp_path / "other", SeriesInstanceUID="1.2.3.5")
    pack(tmp_path / "in" / "other.zip", tmp_path / "other")
    (study,) = scan(tmp_path / "in").studies
    assert [s.n_images for s in study.series] == [5, 5]


def test_a_zipped_multi_frame_file(tmp_path):
    save(enhanced(pattern()), tmp_path / "plain" / "one")
    assert np.array_equal(load(pack(tmp_path / "a.zip", tmp_path / "plain")).hu, pattern())


def test_nothing_is_written_beside_the_archive(tmp_path, monkeypatch):
    write_series(tmp_path / "plain")
    target = pack(tmp_path / "in" / "a.zip", tmp_path / "plain", inside="../../../out/")
    monkeypatch.chdir(tmp_path / "in")
    before = sorted(tmp_path.rglob("*"))
    assert np.array_equal(load(target).hu, pattern())
    assert sorted(tmp_path.rglob("*")) == before


def test_names_of_members_are_only_ever_shown_and_clean(tmp_path):
    (path, *_) = write_series(tmp_path / "plain")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("../../x\n\x1b[2J<b>" + "y" * 5000, path.read_bytes()[:160])
    (problem,) = scan(tmp_path / "a.zip").problems
    assert problem.code == "file-unreadable"
    assert problem.source.member.isprintable()
    assert len(problem.source.member) <= 256


def test_a_damaged_member_is_left_out(tmp_path):
    """The archive's checksum detects a changed uncompressed pixel."""
    write_series(tmp_path / "plain")
    target = pack(tmp_path / "a.zip", tmp_path / "plain", zipfile.ZIP_STORED)
    content = bytearray(target.read_bytes())
    with zipfile.ZipFile(target) as file:
        info = file.infolist()[4]
        end = info.header_offset + 30 + len(info.filename) + info.file_size
    content[end - 3] ^= 1
    target.write_bytes(content)
    loaded = load(target)
    assert np.array_equal(loaded.hu, pattern()[:4])
    assert [m[1] for m in messages(scan(target))] or codes(loaded) == ["file-unreadable"]


def test_an_encrypted_archive_is_named(tmp_path):
    write_series(tmp_path / "plain")
    target = pack(tmp_path / "a.zip", tmp_path / "plain")
    content = bytearray(target.read_bytes())
    with zipfile.ZipFile(target) as file:
        for info in file.infolist():
            content[info.header_offset + 6] |= 1
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 8] |= 1
    target.write_bytes(content)
    index = scan(target)
    assert index.studies == ()
    assert {m for _, _, m in messages(index)} == {"the archive is encrypted"}


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_broken_archive_is_a_problem(tmp_path, share):
    write_series(tmp_path / "plain")
    target = pack(tmp_path / "a.zip", tmp_path / "plain")
    content = target.read_bytes()
    target.write_bytes(content[: int(share * len(content))])
    ((_, code, message),) = messages(scan(tmp_path / "a.zip"))
    assert code == "file-unreadable"
    assert "zip archive" in message


def test_an_archive_within_an_archive_is_not_opened(tmp_path):
    write_series(tmp_path / "plain")
    pack(tmp_path / "outer" / "inner.zip", tmp_path / "plain")
    index = scan(pack(tmp_path / "b.zip", tmp_path / "outer"))
    assert index.studies == ()
    assert "an archive within an archive" in messages(index)[0][2]


@pytest.mark.parametrize(
    ("name", "start"), [("7z", b"7z\xbc\xaf\x27\x1c"), ("gzip", b"\x1f\x8b\x08"), ("rar", b"Rar!\x1a\x07\0")]
)
def test_other_archives_are_named_not_ignored(tmp_path, name, start):
    (tmp_path / "export").write_bytes(start + bytes(500))
    ((_, code, message),) = messages(scan(tmp_path))
    assert code == "file-unreadable"
    assert name in message


def test_compressed_masks_are_not_reported_as_archives(tmp_path):
    (tmp_path / "truth.nrrd.gz").write_bytes(b"\x1f\x8b\x08" + bytes(500))
    assert scan(tmp_path).problems == ()
    (tmp_path / "truth.NII.gz").write_bytes(b"\x1f\x8b\x08" + bytes(500))
    assert ["NIfTI" in message for *_, message in messages(scan(tmp_path))] == [True]


def test_a_bomb_is_not_inflated(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("IM0001", bytes(128) + b"DICM" + bytes(archive.SMALL_BYTES + 1))
    index = scan(tmp_path)
    assert index.studies == ()
    assert "are no image" in messages(index)[0][2]


CT = b"\x08\0\x16\0UI\x1a\x001.2.840.10008.5.1.4.1.1.2\0"
META = b"\2\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"


TINY = b"".join(struct.pack(">HH2sH", *at, b"LO", 0) for at in product((3, 5), range(0xFFFF)))
"""A hundred thousand elements without a value, in the order of bytes that is read one by one."""


@pytest.mark.parametrize(
    "data",
    [
        TINY,
        META
        + CT
        + b"\x09\0\x10\0UT\0\0"
        + struct.pack("<I", 10 * 2**20)
        + bytes(10 * 2**20),  # to be skipped
    ],
    ids=["elements", "bytes"],
)
def test_an_archive_that_would_be_read_for_ever_is_refused_as_a_whole(tmp_path, monkeypatch, data):
    monkeypatch.setattr(archive, "FREE_READS", 50_000)
    monkeypatch.setattr(archive, "FREE_BYTES", 25 * 2**20)
    write_series(tmp_path / "plain")
    pack(tmp_path / "in" / "good.zip", tmp_path / "plain")
    with zipfile.ZipFile(tmp_path / "in" / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted((tmp_path / "plain").iterdir()):
            file.write(path, f"0{path.name}")
        for n in range(1000):
            file.writestr(f"{n + 1}", b"")
        for n in range(5):
            file.writestr(f"z{n}", bytes(128) + b"DICM" + data)
    index = scan(tmp_path / "in")
    assert [m[1] for m in messages(index)] == ["archive-refused"]
    assert [series.n_images for study in index.studies for series in study.series] == [5]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"file_size": 2**31, "compress_size": 2**30}, "more than a file of images"),
        ({"file_size": 2**25, "compress_size": 100}, "no image"),
        ({"compress_type": zipfile.ZIP_LZMA}, "method 14"),
        ({"flag_bits": 1}, "encrypted"),
    ],
)
def test_members_are_checked_before_a_byte_is_inflated(changes, reason):
    info = zipfile.ZipInfo("x")
    info.file_size = info.compress_size = 1000
    check_member(info)
    for name, value in changes.items():
        setattr(info, name, value)
    with pytest.raises(zipfile.BadZipFile, match=reason):
        check_member(info)


def test_overlapping_members_are_refused(tmp_path):
    target = tmp_path / "a.zip"
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("a", bytes(1000))
        file.writestr("b", b"")
    content = bytearray(target.read_bytes())
    second = content.rfind(b"PK\x01\x02")
    content[second + 20 : second + 28] = struct.pack("<II", 1000, 1000)
    content[second + 42 : second + 46] = struct.pack("<I", 0)
    target.write_bytes(content)
    with pytest.raises(zipfile.BadZipFile, match="overlap"), open_archive(target):
        pass


def test_an_absurd_table_of_contents_is_not_read(tmp_path, monkeypatch):
    write_series(tmp_path / "plain")
    target = pack(tmp_path / "a.zip", tmp_path / "plain")
    monkeypatch.setattr(archive, "MAX_CONTENTS_BYTES", 200)
    assert "zip archive cannot be read" in messages(scan(target))[0][2]


def test_a_media_directory_in_an_archive_is_left_out(tmp_path):
    write_series(tmp_path / "plain" / "IMAGES")
    (tmp_path / "plain" / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(100))
    index = scan(pack(tmp_path / "a.zip", tmp_path / "plain"))
    assert (index.n_files, index.problems) == (5, ())


def test_a_media_directory_as_the_input_stands_for_its_folder(tmp_path):
    write_series(tmp_path / "IMAGES")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(100))
    assert scan(tmp_path / "DICOMDIR").studies[0].series[0].n_images == 5


def test_series_without_uids_are_told_apart_by_folders_within_the_archive(tmp_path):
    for name in "ab":
        write_series(tmp_path / "plain" / name, StudyInstanceUID=None, SeriesInstanceUID=None)
    assert len(scan(pack(tmp_path / "a.zip", tmp_path / "plain")).studies) == 2
