from dataclasses import replace

from glutseg.dicom.header import read_header
from glutseg.dicom.sharing import Sharing
from glutseg.dicom.source import Opener, Source


def header_of(path):
    with Opener() as opener:
        return read_header(Source(path), opener)


def test_equal_headers_of_shared_parts(stage, tmp_path):
    folder = stage.write(tmp_path)
    apart = [header_of(path) for path in sorted(folder.glob("*.dcm"))[:2]]
    sharing = Sharing()
    first, second = shared = [sharing.header(header) for header in apart]
    assert shared == apart
    assert [repr(one) for one in shared] == [repr(one) for one in apart]
    assert first.tags is second.tags
    assert first.slices[0].orientation is second.slices[0].orientation
    assert first.slices[0].sop_uid != second.slices[0].sop_uid


def test_equal_numbers_that_are_written_otherwise_stay_apart(stage, tmp_path):
    header = header_of(next(stage.write(tmp_path).glob("*.dcm")))
    variants = [
        replace(header, slices=(replace(header.slices[0], rescale=rescale),))
        for rescale in ((1.0, 0.0), (1.0, -0.0), (1, 0))
    ]
    sharing = Sharing()
    assert [repr(sharing.header(one)) for one in variants] == [repr(one) for one in variants]
