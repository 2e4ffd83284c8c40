"""Whatever a header's texts say, nothing of it is in what a run with pseudonyms writes."""

import logging
import re
from copy import deepcopy
from functools import cache

import pydicom
import pytest
from PIL import Image
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import generate_uid
from written_bytes import everything_in

from glutseg import batch, dicom, report
from glutseg.output.pseudonym import Pseudonymiser
from glutseg.protocol import load_protocol

PROTOCOL = load_protocol()
KEY = Pseudonymiser(bytes(range(32)))

TEXTS = "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT"
"""VRs whose values are texts in the file, also where they should be numbers."""
NEEDED = (
    *("SpecificCharacterSet", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"),
    *("PatientID", "Modality", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"),
    *("SliceThickness", "RescaleSlope", "RescaleIntercept", "RescaleType", "PhotometricInterpretation"),
    *("ImageType", "NumberOfFrames", "InstanceNumber", "AcquisitionNumber", "LossyImageCompression"),
    *("BodyPartExamined", "PatientSize"),
)
"""Without these the study is not measured, or not as one series; each has a study of its own."""
PRIVATE = (Tag(0x00091010), Tag(0x00431027))


@cache
def texts_everywhere():
    """A text of its own for every tag of the standard that is one and is not needed, and for two more."""
    known = [Tag(tag) for tag in pydicom.datadict.DicomDictionary if tag >> 16 >= 0x08]
    tags = [
        tag for tag in known if dictionary_VR(tag) in TEXTS.split() and keyword_for_tag(tag) not in NEEDED
    ]
    return [raw(tag, f"JANE{number:04d}DOE") for number, tag in enumerate([*tags, *PRIVATE])]


MARKER = re.compile(rb"JANE\d{4}", re.IGNORECASE)


def raw(tag, text):
    vr = "LO" if tag in PRIVATE else dictionary_VR(tag)
    value = text.encode() + b" " * (len(text) % 2)
    return RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def with_text(dataset, keyword, text):
    element = raw(tag_for_keyword(keyword), text)
    dataset._dict[element.tag] = element


def write_study(slices, folder, patient_id, change, n_changed=None):
    folder.mkdir(parents=True)
    for place, one in enumerate(slices):
        dataset = deepcopy(one)
        dataset.PatientID, dataset.StudyInstanceUID = patient_id, generate_uid(entropy_srcs=[patient_id])
        if n_changed is None or place < n_changed:
            change(dataset)
        path = folder / f"{place}.dcm"
        dataset.set_original_encoding(False, True, dataset._character_set)  # so that texts stay as they are
        pydicom.dcmwrite(path, dataset, implicit_vr=False, little_endian=True, force_encoding=True)


def in_all(dataset):
    """Texts in every tag that is not needed, and beside or in place of two that are."""
    dataset._dict |= {element.tag: element for element in texts_everywhere()}
    with_text(dataset, "ImageType", "ORIGINAL\\PRIMARY\\AXIAL\\JANE9996DOE")
    with_text(dataset, "BodyPartExamined", "JANE9997DOE")


def in_the_second(dataset):
    dataset.SeriesInstanceUID, dataset.SOPInstanceUID = "1.2.3.4", generate_uid()
    with_text(dataset, "ConvolutionKernel", "JANE9998 LUNG")
    with_text(dataset, "BodyPartExamined", "JANE9999DOE")


@pytest.fixture
def marked(truth_rooms, tmp_path):
    """A patient with a text of its own in every tag and two series, and two for each tag that is needed."""
    root = tmp_path / "export"
    slices = [pydicom.dcmread(path) for path in sorted(truth_rooms.write(tmp_path / "one").iterdir())]
    write_study(slices, root / "all", "P-0000", in_all)
    write_study(slices, root / "second", "P-0000", in_the_second)
    for number, keyword in enumerate((*NEEDED, "ConvolutionKernel", "TransferSyntaxUID"), start=1):
        for n_changed in (None, 1):
            patient_id = f"P-{number:04d}-{n_changed}"

            def in_one(dataset, keyword=keyword, text=f"JANE{5000 + number}DOE"):
                target = dataset.file_meta if keyword == "TransferSyntaxUID" else dataset
                with_text(target, keyword, text)

            write_study(slices, root / patient_id, patient_id, in_one, n_changed)
    return root


def test_no_text_of_a_header_is_written(marked, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    index, out = dicom.scan(marked), tmp_path / "out"
    summary = batch.run(index, PROTOCOL, None, out, pseudonyms=KEY)
    report.write_report(out)
    assert sum(r.result.is_measured for r in summary.rows) > 5
    measured = next(r.result for r in summary.rows if r.result.patient_id == KEY.patient("P-0000"))
    assert measured.series.kernel == "other"
    assert "kernel (not shown)" in measured.series.reason
    codes = {r.result.error_code for r in summary.rows}
    assert codes >= {"", "hips-not-found", "no-usable-series", "pixel-data-undecodable"}
    written_bytes = [*everything_in(out), ("the log", caplog.text.encode())]
    written_bytes += [(p.name, repr(Image.open(p).info).encode()) for p in out.rglob("*.png")]
    for name, content in written_bytes:
        found = MARKER.search(content)
        assert not found, f"{name}: {content[max(found.start() - 60, 0) : found.end() + 30]!r}"
    assert not MARKER.search(repr(list(summary.rows)).encode())
