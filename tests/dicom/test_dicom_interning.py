from dataclasses import replace

from glutseg.dicom.header import read_header
from glutseg.dicom.interning import HeaderInterner
from glutseg.dicom.source import Opener, Source


def header_of(path):
    with Opener() as opener:
        return read_header(Source(path), opener)


def test_equal_values_become_one_object(stage, tmp_path):
    folder = stage.write(tmp_path)
    separate = [header_of(path) for path in sorted(folder.glob("*.dcm"))[:2]]
    interner = HeaderInterner()
    first, second = shared = [interner.header(header) for header in separate]
    assert shared == separate
    assert [repr(one) for one in shared] == [repr(one) for one in separate]
    assert first.tags is second.tags
    assert first.slices[0].orientation is second.slices[0].orientation
    assert first.slices[0].sop_uid != second.slices[0].sop_uid


def test_equal_numbers_of_different_type_or_sign_stay_distinct(stage, tmp_path):
    header = header_of(next(stage.write(tmp_path).glob("*.dcm")))
    variants = [
        replace(header, slices=(replace(header.slices[0], rescale=rescale),))
        for rescale in ((1.0, 0.0), (1.0, -0.0), (1, 0))
    ]
    interner = HeaderInterner()
    assert [repr(interner.header(one)) for one in variants] == [repr(one) for one in variants]
