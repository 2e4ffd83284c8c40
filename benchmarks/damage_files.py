"""Ways in which files other than DICOM are put together wrongly, and small right ones to begin with."""

from __future__ import annotations

import gzip
import json
import random
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import SimpleITK as sitk

from damage_dicom import NUMBERS
from glutseg import dicom
from glutseg.exchange.export import export
from glutseg.exchange.given_run import GivenRun, write_given
from glutseg.exchange.measure_mask import load_series, measure_mask
from glutseg.image import Mask
from glutseg.output.case_files import nifti_gz

ODD_CELLS = (
    "",
    '"',
    '"a',
    ";",
    "\t",
    "\0",
    "=1+1",
    "1,70",
    "1.70 m",
    "170",
    "٣",
    "1_7",
    "nan",
    "1e400",
    "P1",
    "\r",
)
ODD_VALUES = (
    None,
    True,
    -1,
    0,
    10**40,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "\ud800",
    [],
    {},
    [[]],
    "a" * 10_000,
)
FIELDS = {
    **{40 + 2 * n: "h" for n in range(8)},  # dim
    **{76 + 4 * n: "f" for n in range(8)},  # pixdim
    **{256 + 4 * n: "f" for n in range(6)},  # quaternion and offsets
    **{280 + 4 * n: "f" for n in range(12)},  # srow
    0: "i",
    70: "h",
    72: "h",
    108: "f",
    112: "f",
    116: "f",
    123: "b",
    252: "h",
    254: "h",
    344: "i",
}
"""Offsets of NIfTI-1's fields and what they are."""


def write_files(series: Path, folder: Path) -> None:
    """A mask of a series in every format, records, a table, and the series as NIfTI and zip."""
    folder.mkdir()
    loaded = load_series(dicom.scan(series))
    labels = np.zeros(loaded.image.hu.shape, np.uint8)
    labels[2:5, 45:60, 45:60], labels[2:5, 45:58, 20:34], labels[3, 50:52, 50:53] = 1, 2, 0
    mask = folder / "mask.nii.gz"
    mask.write_bytes(nifti_gz(Mask.on(loaded.image, labels)))
    out = folder / "out"
    write_given(out, GivenRun(series, measure_mask(loaded, mask, level="slice=3")))
    export(out, ("seg", "rtstruct", "nifti", "nrrd"), folder / "masks")
    for path in sorted((folder / "masks").iterdir()):
        path.rename(folder / ("mask." + path.name.split(".", 1)[1]))
    sitk.WriteImage(Mask.on(loaded.image, labels).to_sitk(), str(folder / "mask.mha"), True)
    sitk.WriteImage(Mask.on(loaded.image, labels).to_sitk(), str(folder / "plain.nrrd"), False)
    sitk.WriteImage(loaded.image.to_sitk(), str(folder / "ct.nii.gz"))
    rows = "".join(f"P{n};1,{50 + n}\n" for n in range(30))
    (folder / "table.csv").write_text("patient_id;height_m\n" + rows, encoding="utf-8")
    with ZipFile(folder / "series.zip", "w", ZIP_DEFLATED) as archive:
        for path in sorted(series.iterdir()):
            archive.write(path, path.name)


# damages: of the content as it lies in the file


def flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 2, 20])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut_or_doubled(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content))
    return rng.choice(
        [content[:at], content + content, content[at:], content[:at] + content, content + b"\0" * 99]
    )


def nifti(content: bytes, rng: random.Random) -> bytes:
    """One to three fields of the header, which is compressed again, or cut off within its data."""
    plain = bytearray(gzip.decompress(content))
    for _ in range(rng.choice([1, 1, 2, 3])):
        offset, kind = rng.choice(list(FIELDS.items()))
        size = struct.calcsize(kind)
        number = rng.choice(
            [0, 1, -1, 2, 3, 4, 7, 16, 64, 512, 32767, 1e30, -1e30, float("nan"), float("inf"), 1e-30]
        )
        if kind != "f":
            number = 32767 if not -32768 <= number <= 32767 else int(number)
            number = max(min(number, 127), -128) if kind == "b" else number
        plain[offset : offset + size] = struct.pack(rng.choice("<<<>") + kind, number)
    if rng.random() < 0.15:
        del plain[rng.randrange(len(plain)) :]
    return bytes(plain) if rng.random() < 0.2 else gzip.compress(bytes(plain), 1)


def header_lines(content: bytes, rng: random.Random) -> bytes:
    """Of NRRD and MHA: values replaced, lines dropped, doubled, swapped, or another file named."""
    end = (
        content.find(b"\n\n") + 1
        if content.startswith(b"NRRD")
        else content.find(b"\n", content.find(b"ElementDataFile")) + 1
    )
    lines = content[:end].decode("latin-1").splitlines()
    place = rng.randrange(len(lines))
    numbers = [m.span() for m in re.finditer(r"[-+.\d]+", lines[place])]
    match rng.randrange(6):
        case 0 if numbers:
            start, stop = rng.choice(numbers)
            lines[place] = (
                lines[place][:start] + rng.choice([*NUMBERS, "-1", "99999999", "1e30"]) + lines[place][stop:]
            )
        case 1:
            lines.insert(rng.randrange(len(lines)), lines[place])
        case 2:
            del lines[place]
        case 3:
            lines.append(
                rng.choice(["data file: /etc/passwd", "ElementDataFile = /etc/passwd", "data file: LIST"])
            )
        case 4:
            lines[place] = (
                lines[place].split(":")[0]
                + ": "
                + rng.choice(["raw", "bzip2", "hex", "ascii", "", "x" * 9999])
            )
        case _:
            other = rng.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]
    return "\n".join(lines).encode("utf-8", "replace") + b"\n" + content[end:]


def json_text(content: bytes, rng: random.Random) -> bytes:
    """A value of any kind in any place, a key dropped, doubled or renamed, brackets without end."""
    record = json.loads(content)
    owner, key = rng.choice(list(_leaves(record)))
    match rng.randrange(4):
        case 0 if isinstance(owner, dict):
            del owner[key]
        case 1 if isinstance(owner, dict):
            owner[str(key) + rng.choice(["_", "\0", "A"])] = owner.pop(key)
        case _:
            owner[key] = rng.choice(ODD_VALUES)
    text = json.dumps(record).encode("utf-8", "replace")
    if rng.random() < 0.15:
        deep = rng.choice([b"[", b'{"a":']) * rng.choice([100, 200_000])
        text = text[:-1] + b', "deep": ' + deep
    return text


def _leaves(value: object) -> list[tuple[object, object]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[object, object]] = []
    for key, inner in pairs:
        found += [(value, key), *_leaves(inner)]
    return found


def table(content: bytes, rng: random.Random) -> bytes:
    rows = [line.split(";") for line in content.decode().splitlines()]
    for _ in range(rng.choice([1, 1, 3])):
        row = rng.choice(rows)
        row[rng.randrange(len(row))] = rng.choice(ODD_CELLS)
    if rng.random() < 0.2:
        rows.append(list(rng.choice(rows)))
    text = rng.choice(["\n", "\r\n", "\r"]).join(rng.choice([";", ";", ","]).join(row) for row in rows)
    return text.encode(rng.choice(["utf-8", "utf-8-sig", "utf-16", "latin-1"]), "replace")


def archive(content: bytes, rng: random.Random) -> bytes:
    """A field of one member's head or of the directory at the end."""
    marks = [m.start() for m in re.finditer(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06", content)]
    changed = bytearray(content)
    at = rng.choice(marks) + rng.randrange(4, 46)
    if at + 4 <= len(changed):
        changed[at : at + rng.choice([1, 2, 4])] = rng.choice([b"\0", b"\xff", b"\1"]) * rng.choice([1, 2, 4])
    return bytes(changed)


def compressed_again(content: bytes, rng: random.Random) -> bytes:
    """Two gzip members, a bomb, a wrong check sum, or a zlib stream without its head."""
    plain = gzip.decompress(content)
    at = rng.randrange(len(plain))
    match rng.randrange(4):
        case 0:
            return gzip.compress(plain[:at]) + gzip.compress(plain[at:])
        case 1:
            return gzip.compress(plain + bytes(rng.choice([10**5, 3 * 10**8])), 1)
        case 2:
            return content[:-8] + bytes(8)
        case _:
            return zlib.compress(plain)


Change = Callable[[bytes, random.Random], bytes]
BLIND: tuple[Change, ...] = (flipped, cut_or_doubled)
CHANGES: dict[str, tuple[Change, ...]] = {
    "ct.nii.gz": (nifti, nifti, nifti, nifti, compressed_again, *BLIND),
    "mask.nii.gz": (nifti, nifti, nifti, nifti, compressed_again, *BLIND),
    "mask.seg.nrrd": (header_lines, header_lines, header_lines, *BLIND),
    "plain.nrrd": (header_lines, header_lines, header_lines, *BLIND),
    "mask.mha": (header_lines, header_lines, header_lines, *BLIND),
    "case.json": (json_text, json_text, json_text, *BLIND),
    "run.json": (json_text, json_text, json_text, *BLIND),
    "table.csv": (table, table, table, *BLIND),
    "series.zip": (archive, archive, archive, *BLIND),
}
"""What may be done to each of the files; the masks in DICOM are damaged as DICOM."""
