"""Ways in which a DICOM file is put together wrongly: element by element, not byte by byte.

A file is a list of `Part`, the elements with the bytes of their values, which `joined` writes as they are,
right or wrong. Every damage takes the parts of a file and those of another one, and changes the first.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO

import pydicom
from pydicom.datadict import tag_for_keyword

LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
UNDEFINED = 0xFFFFFFFF
PIXELS = 0x7FE00010
ITEM = b"\xfe\xff\x00\xe0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0" + bytes(4)
NUMBERS = (
    *("1_0", "1e400", "-1e400", "nan", "inf", "0x10", "1.0.0", "1 0", "1,5", "1.", ".5", "+1", "--1", "1e"),
    *("١", "１", "²", "1\\2", "", " ", "\0", "9" * 60, "1E-400", "-0", "0", "1d0", "1;0", "1\n2", "True"),
)
"""Texts that some program takes for a number."""
ODD_BYTES = (b"", b"\0", b"\xff\xff", b"\0\0", b"\1\0", b"\xff" * 4, b"\0" * 8, b"A" * 70_000, b"\x1b$B\x1b")
SYNTAXES = (
    *("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"),
    *("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57"),
    *("1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"),
    *("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.201", "1.2.3", ""),
)
GEOMETRY = (
    *("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept"),
    *("SliceThickness", "InstanceNumber", "AcquisitionNumber", "PatientSize", "KVP"),
)
SHORTS = (
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "SamplesPerPixel",
)


@dataclass(frozen=True)
class Part:
    """An element; ``length`` is what stands in the file where it is not that of the value."""

    tag: int
    vr: str
    value: bytes
    length: int | None = None


Parts = list[Part]
Damage = Callable[[Parts, Parts, random.Random], None]


def taken_apart(content: bytes) -> Parts:
    """The elements of a right file, those of its meta header first."""
    dataset = pydicom.dcmread(BytesIO(content), force=True)
    parts = []
    for group in (dataset.file_meta, dataset):
        for tag in sorted(group.keys()):
            element = group.get_item(tag)
            raw = element.value if isinstance(element.value, bytes) else _value_of(group, tag)
            is_open = getattr(element, "length", 0) == UNDEFINED
            parts.append(Part(int(tag), element.VR or "UN", raw, UNDEFINED if is_open else None))
    return parts


def _value_of(group: pydicom.Dataset, tag: pydicom.tag.BaseTag) -> bytes:
    buffer = pydicom.filebase.DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    pydicom.filewriter.write_data_element(buffer, group[tag])
    return buffer.getvalue()[8:]


def joined(parts: Parts) -> bytes:
    """The file: preamble, meta header, elements, each in the order in which it stands."""
    return bytes(128) + b"DICM" + b"".join(_bytes_of(part) for part in parts)


def _bytes_of(part: Part) -> bytes:
    length = len(part.value) if part.length is None else part.length
    head = struct.pack("<HH", part.tag >> 16 & 0xFFFF, part.tag & 0xFFFF) + part.vr.encode("latin-1")[:2]
    end = SEQUENCE_END if part.length == UNDEFINED else b""
    if part.vr in LONG:
        return head + struct.pack("<HI", 0, length & UNDEFINED) + part.value + end
    return head + struct.pack("<H", length & 0xFFFF) + part.value + end


def _place(parts: Parts, *keywords: str) -> int:
    """Of the first element with one of the keywords; -1 where there is none."""
    wanted = [tag_for_keyword(keyword) for keyword in keywords]
    return next((n for n, part in enumerate(parts) if part.tag in wanted), -1)


def _set(parts: Parts, keyword: str, value: bytes, vr: str = "") -> None:
    place = _place(parts, keyword)
    if place >= 0:
        parts[place] = replace(parts[place], value=value, vr=vr or parts[place].vr)


def _as_value(part: Part, text: str, rng: random.Random) -> bytes:
    """A text in place of one of the part's values, or of all."""
    values = part.value.decode("latin-1").strip("\0 ").split("\\")
    values[rng.randrange(len(values))] = text
    value = "\\".join(values).encode("utf-8", "replace")
    return value + b" " * (len(value) % 2)


# damages


def odd_number(parts: Parts, _: Parts, rng: random.Random) -> None:
    place = _place(parts, rng.choice(GEOMETRY))
    if place >= 0:
        true = parts[place].value.decode("latin-1").split("\\")[0].strip("\0 ")
        odd = rng.choice(
            (*NUMBERS, true[:1] + "_" + true[1:], true.replace(".", ","), true + "x", f" {true} ")
        )
        parts[place] = replace(parts[place], value=_as_value(parts[place], odd, rng))


def odd_short(parts: Parts, _: Parts, rng: random.Random) -> None:
    number = rng.choice([0, 1, 2, 3, 7, 8, 11, 12, 13, 15, 16, 17, 24, 32, 40, 79, 81, 160, 32768, 65535])
    for keyword in rng.sample(SHORTS, rng.choice([1, 1, 2])):
        _set(parts, keyword, struct.pack(rng.choice("<>") + "H", number))


def short_as_another_vr(parts: Parts, _: Parts, rng: random.Random) -> None:
    place = _place(parts, rng.choice(SHORTS))
    if place >= 0:
        (number,) = struct.unpack("<H", parts[place].value[:2].ljust(2, b"\0"))
        vr, value = rng.choice(
            [("UL", struct.pack("<I", number)), ("SS", struct.pack("<H", number)),
             ("IS", str(number).encode()), ("FD", struct.pack("<d", number)),
             ("US", struct.pack("<HH", number, number + 1)), ("UN", struct.pack("<H", number)),
             ("OB", struct.pack("<H", number))]
        )  # fmt: skip
        parts[place] = replace(parts[place], vr=vr, value=value)


def other_vr(parts: Parts, _: Parts, rng: random.Random) -> None:
    place = rng.randrange(len(parts))
    vrs = [*LONG, "US", "SS", "UL", "DS", "IS", "FD", "LO", "CS", "UI", "AT", "PN", "??", "\0\0"]
    parts[place] = replace(parts[place], vr=rng.choice(vrs))


def from_the_other(parts: Parts, other: Parts, rng: random.Random) -> None:
    """One to three elements of another file, or its pixels and nothing else."""
    chosen = rng.sample(other, rng.choice([1, 2, 3]))
    if rng.random() < 0.3:
        chosen = [part for part in other if part.tag == PIXELS]
    for part in chosen:
        place = next((n for n, own in enumerate(parts) if own.tag == part.tag), None)
        if place is None:
            parts.append(part)
            parts.sort(key=lambda p: p.tag)
        else:
            parts[place] = part


def twice(parts: Parts, other: Parts, rng: random.Random) -> None:
    """An element again, with the other file's value or an odd one, before or behind it or at the end."""
    place = _place(parts, rng.choice((*GEOMETRY, *SHORTS, "PixelData", "SeriesInstanceUID", "SOPClassUID")))
    if place >= 0:
        part = parts[place]
        another = next((p for p in other if p.tag == part.tag), part)
        value = another.value if rng.random() < 0.6 else rng.choice(NUMBERS).encode()
        parts.insert(rng.choice([place, place + 1, len(parts)]), replace(part, value=value, length=None))


def without(parts: Parts, _: Parts, rng: random.Random) -> None:
    for _n in range(rng.choice([1, 1, 2, 5])):
        del parts[rng.randrange(len(parts))]


def wrong_length(parts: Parts, _: Parts, rng: random.Random) -> None:
    place = rng.randrange(len(parts))
    real = len(parts[place].value)
    length = rng.choice(
        [0, 1, real - 1, real + 1, real + 2, real * 2, 0xFFFE, 0xFFFF, UNDEFINED, UNDEFINED - 1]
    )
    parts[place] = replace(parts[place], length=length & UNDEFINED)


def other_syntax(parts: Parts, _: Parts, rng: random.Random) -> None:
    syntax = rng.choice(SYNTAXES).encode()
    _set(parts, "TransferSyntaxUID", syntax + b"\0" * (len(syntax) % 2))


def swapped_bytes(parts: Parts, _: Parts, rng: random.Random) -> None:
    """Of the pixels, of all numbers, or of everything."""
    which = rng.randrange(3)
    for n, part in enumerate(parts):
        if part.tag >> 16 > 2 and (
            which == 2 or (part.tag == PIXELS if which == 0 else part.vr in ("US", "SS"))
        ):
            even = part.value[: len(part.value) // 2 * 2]
            swapped = bytearray(even)
            swapped[::2], swapped[1::2] = even[1::2], even[::2]
            parts[n] = replace(part, value=bytes(swapped))


def another_tail(parts: Parts, other: Parts, rng: random.Random) -> None:
    tag = rng.choice(parts).tag
    parts[:] = [p for p in parts if p.tag <= tag] + [p for p in other if p.tag > tag]


def frames(parts: Parts, _: Parts, rng: random.Random) -> None:
    count = rng.choice(["0", "1", "2", "3", "5", "-1", "1000000000", "99999", *NUMBERS])
    value = count.encode()
    parts.append(Part(0x00280008, "IS", value + b" " * (len(value) % 2)))
    parts.sort(key=lambda p: p.tag)


def large_image(parts: Parts, _: Parts, rng: random.Random) -> None:
    rows, columns = rng.choice(
        [(65535, 65535), (80, 65535), (160, 40), (40, 160), (40, 80), (80, 81), (1, 6400)]
    )
    _set(parts, "Rows", struct.pack("<H", rows))
    _set(parts, "Columns", struct.pack("<H", columns))


def codestream(parts: Parts, _: Parts, rng: random.Random) -> None:
    """Flipped bits, another size in the marker, pieces lost, doubled or in another order."""
    place = _place(parts, "PixelData")
    if place < 0 or not parts[place].value:
        return
    value = bytearray(parts[place].value)
    marks = [(b"\xff\xc3", 5), (b"\xff\xf7", 5), (b"\xff\x51", 6), (b"\xff\xc0", 5)]
    sizes = [at + step for mark, step in marks if (at := value.find(mark)) >= 0]
    match rng.randrange(5):
        case 0 if sizes:
            at = rng.choice(sizes) + rng.choice([0, 1, 2, 3])
            value[at : at + 1] = bytes([rng.choice([0, 1, 79, 81, 160, 255])])
        case 1:
            for _ in range(rng.choice([1, 3, 30])):
                value[rng.randrange(len(value))] ^= 1 << rng.randrange(8)
        case 2:
            del value[rng.randrange(len(value)) :]
        case 3:
            start = rng.randrange(len(value))
            value[start:start] = value[start : start + rng.choice([2, 64, 4096])]
        case _:
            start, length = rng.randrange(min(len(value), 90)), rng.choice([1, 2, 4])
            value[start : start + length] = rng.choice([b"\0", b"\xff", b"\x7f"]) * length
    parts[place] = replace(parts[place], value=bytes(value))


def disorder(parts: Parts, _: Parts, rng: random.Random) -> None:
    first, second = rng.randrange(len(parts)), rng.randrange(len(parts))
    parts[first], parts[second] = parts[second], parts[first]


def nested(parts: Parts, _: Parts, rng: random.Random) -> None:
    """A sequence in a sequence, very deep, or one of very many items."""
    tag, inner = rng.choice([(0x00081140, b""), (0x00091010, b""), (0x52009230, b""), (0x00189321, b"")])
    for _ in range(rng.choice([1, 50, 3000])):
        item = ITEM + struct.pack("<I", len(inner) & UNDEFINED) + inner
        inner = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + b"SQ\0\0" + struct.pack("<I", len(item)) + item
    if rng.random() < 0.3:
        inner = (ITEM + bytes(4)) * rng.choice([10, 100_000])
    parts.append(Part(tag, "SQ", inner, rng.choice([None, UNDEFINED])))
    parts.sort(key=lambda p: p.tag)


def within_sequence(parts: Parts, other: Parts, rng: random.Random) -> None:
    """Of a functional group, a contour: a number in another form, an item lost or twice."""
    places = [n for n, part in enumerate(parts) if part.vr == "SQ" and part.value]
    if not places:
        odd_number(parts, other, rng)
        return
    place = max(places, key=lambda n: len(parts[n].value)) if rng.random() < 0.5 else rng.choice(places)
    value = bytearray(parts[place].value)
    numbers = [m.span() for m in re.finditer(rb"-?\d[\d.\\-]+", value)]
    items = [m.start() for m in re.finditer(re.escape(ITEM), value)]
    if numbers and rng.random() < 0.6:
        start, end = rng.choice(numbers)
        odd = (
            rng.choice(NUMBERS).encode("utf-8") if rng.random() < 0.7 else str(rng.randrange(10**6)).encode()
        )
        value[start:end] = odd[: end - start].ljust(end - start)
    elif rng.random() < 0.5 and len(items) > 1:
        first, second = sorted(rng.sample(items, 2))
        value[second:second] = value[first:second] if rng.random() < 0.5 else b""
        del value[first : rng.choice([first, second])]
    else:
        at = rng.randrange(len(value))
        value[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", bytes(4), b"\1\0\0\0", b"UNUN"])
    parts[place] = replace(parts[place], value=bytes(value))


def odd_text(parts: Parts, _: Parts, rng: random.Random) -> None:
    place = rng.randrange(len(parts))
    parts[place] = replace(parts[place], value=rng.choice(ODD_BYTES), length=None)
    if rng.random() < 0.3:
        _set(parts, "SpecificCharacterSet", rng.choice([b"ISO 2022 IR 87", b"\\" * 9, b"GB18030", b"utf-99"]))


DAMAGES: tuple[Damage, ...] = (
    *(odd_number, odd_number, odd_short, odd_short, short_as_another_vr, other_vr, from_the_other),
    *(from_the_other, twice, twice, without, wrong_length, other_syntax, swapped_bytes, another_tail),
    *(frames, large_image, codestream, codestream, codestream, disorder, nested, odd_text),
    *(within_sequence, within_sequence),
)
