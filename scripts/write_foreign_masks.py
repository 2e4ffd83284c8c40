"""Let other programs write the masks of tests/exchange/written_by_others, from the truth of a small phantom.

    python scripts/write_foreign_masks.py

Needs ``pip install dcmqi rt-utils slicerio``, ``apt-get install plastimatch`` and ``npm install dcmjs``
(``NODE_PATH`` names the folder node_modules). The files are kept in the source, so that tests need none of
these programs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np

from glutseg.phantom import PhantomScan, random_patients, write_studies

HERE = Path(__file__).parent
OUT = HERE.parent / "tests" / "exchange" / "written_by_others"
SCAN = PhantomScan(matrix=96, pixel_mm=4.2, slice_mm=12.0)
NAMES = {1: "Gluteus maximus left", 2: "Gluteus maximus right"}
TISSUE = {"CodeValue": "85756007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Tissue"}
MUSCLE = {"CodeValue": "181674001", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Gluteus maximus muscle"}
SIDES = {
    1: {"CodeValue": "7771000", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Left"},
    2: {"CodeValue": "24028007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Right"},
}


def main() -> None:
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        (images,) = write_studies(scratch / "phantom", list(random_patients(1, 1)), SCAN, masks=True)
        (truth,) = (scratch / "phantom").glob("truth-*.nii.gz")
        dcmqi(images, truth, scratch)
        plastimatch(images, truth, scratch)
        rt_utils(images, truth)
        slicerio(truth)
        dcmjs(images, truth, scratch)
    for path in sorted(OUT.iterdir()):
        sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")


def dcmqi(images: Path, truth: Path, scratch: Path) -> None:
    segments = [
        {
            "labelID": label,
            "SegmentLabel": name,
            "SegmentDescription": name,
            "SegmentAlgorithmType": "MANUAL",
            "SegmentedPropertyCategoryCodeSequence": TISSUE,
            "SegmentedPropertyTypeCodeSequence": MUSCLE,
            "SegmentedPropertyTypeModifierCodeSequence": SIDES[label],
            "recommendedDisplayRGBValue": [200, 80 * label, 40],
        }
        for label, name in NAMES.items()
    ]
    meta = scratch / "dcmqi.json"
    meta.write_text(
        json.dumps(
            {
                "@schema": "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/schemas/seg-schema.json#",
                "ContentCreatorName": "phantom",
                "SeriesDescription": "Segmentation",
                "SeriesNumber": "300",
                "InstanceNumber": "1",
                "segmentAttributes": [segments],
            }
        )
    )
    _call(
        "itkimage2segimage",
        *("--inputImageList", truth, "--inputDICOMDirectory", images),
        *("--inputMetadata", meta, "--outputDICOM", OUT / "dcmqi.seg.dcm", "--skip"),
    )


def plastimatch(images: Path, truth: Path, scratch: Path) -> None:
    written = scratch / "plastimatch"
    names = scratch / "names.txt"
    names.write_text("".join(f"{label - 1}|255\\0\\0|{name}\n" for label, name in NAMES.items()))
    bits = nib.load(truth)
    as_bits = scratch / "bits.nii.gz"
    labels = np.asarray(bits.dataobj)
    nib.save(
        nib.Nifti1Image(np.where(labels > 0, 1 << (labels.astype(int) - 1), 0).astype(np.uint8), bits.affine),
        as_bits,
    )
    _call(
        "plastimatch",
        "convert",
        *("--input-ss-img", as_bits, "--input-ss-list", names),
        *("--referenced-ct", images, "--output-dicom", written),
    )
    (found,) = [
        path for path in written.iterdir() if "rtss" in path.name.lower() or path.name.startswith("rs")
    ]
    (OUT / "plastimatch.rtstruct.dcm").write_bytes(found.read_bytes())


def rt_utils(images: Path, truth: Path) -> None:
    from rt_utils import RTStructBuilder

    structures = RTStructBuilder.create_new(dicom_series_path=str(images))
    labels = _in_file_order(truth)
    for label, name in NAMES.items():
        structures.add_roi(mask=labels == label, name=name)
    structures.save(str(OUT / "rt-utils.rtstruct.dcm"))


def slicerio(truth: Path) -> None:
    import slicerio as slicer

    image = nib.load(truth)
    scheme = ("CodingSchemeDesignator", "CodeValue", "CodeMeaning")
    segments = [
        {
            "id": f"Segment_{label}",
            "labelValue": label,
            "layer": 0,
            "name": name,
            "terminology": {
                "contextName": "Segmentation category and type - 3D Slicer General Anatomy list",
                "category": [TISSUE[key] for key in scheme],
                "type": [MUSCLE[key] for key in scheme],
                "typeModifier": [SIDES[label][key] for key in scheme],
            },
        }
        for label, name in NAMES.items()
    ]
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0])
    slicer.write_segmentation(
        str(OUT / "slicerio.seg.nrrd"),
        {
            "voxels": np.asarray(image.dataobj).astype(np.uint8),
            "ijkToLPS": to_lps @ image.affine,
            "segments": segments,
            "containedRepresentationNames": ["Binary labelmap"],
            "masterRepresentation": "Binary labelmap",
        },
    )


def dcmjs(images: Path, truth: Path, scratch: Path) -> None:
    labels = _in_file_order(truth)
    raw = scratch / "labels.raw"
    raw.write_bytes(np.ascontiguousarray(np.moveaxis(labels, 2, 0)).astype(np.uint8).tobytes())
    _call("node", HERE / "write_dcmjs_seg.js", images, raw, OUT / "dcmjs.seg.dcm")


def _in_file_order(truth: Path) -> np.ndarray:
    """(rows, columns, slices) from the feet to the head, as the images of the phantom are."""
    image = nib.load(truth)
    labels = np.asarray(image.dataobj)
    towards = np.sign(
        np.diag(image.affine[:3, :3])
    )  # RAS: the images' columns grow to the left, rows to the back
    for axis, wanted in enumerate((-1, -1, 1)):
        if towards[axis] != wanted:
            labels = np.flip(labels, axis)
    return np.swapaxes(labels, 0, 1)


def _call(*command: object) -> None:
    words = [str(part) for part in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{command[0]}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
