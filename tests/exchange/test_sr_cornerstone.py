"""A report's areas have a line that OHIF and other viewers on Cornerstone draw."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from export_runs import make_export_run
from scipy import ndimage as ndi

from glutseg.exchange.contours import filled
from glutseg.exchange.export import export
from glutseg.exchange.terms import TERMS

SCRIPT = Path(__file__).parents[2] / "scripts" / "read_sr_cornerstone.mjs"
TOOL = "Cornerstone3DTools@^0.1.0:PlanarFreehandROI:"
NODE_FOLDER = os.environ.get("GLUTSEG_CORNERSTONE", "")
"""With node_modules in it: ``npm install @cornerstonejs/adapters dcmjs @babel/runtime`` (94 MB)."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Square pixels: Cornerstone takes the distance of the rows for that of the columns."""
    pytest.importorskip("highdicom")
    return make_export_run(tmp_path_factory.mktemp("run"), is_square=True)


@pytest.fixture(scope="module")
def report(run):
    return next(path for path in export(run.out, ("sr",)).files if path.name.endswith(".sr.dcm"))


def measured_groups(ds):
    content = next(
        item
        for item in ds.ContentSequence
        if item.get("ContentSequence") and meaning(item) == "Imaging Measurements"
    )
    return [item for item in content.ContentSequence if meaning(item) == "Measurement Group"]


def meaning(item):
    return item.ConceptNameCodeSequence[0].CodeMeaning


def largest_piece(run, term):
    level = run.result.level.slice_index
    plane = run.stored_labels[run.image.stored_slice(level)] == term.label
    pieces, _ = ndi.label(plane)
    largest = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    return largest, run.image.sop_uids[level]


def test_the_line_encloses_the_largest_piece_on_its_image(run, report):
    groups = measured_groups(pydicom.dcmread(report))
    assert len(groups) == len(TERMS)
    for term, group in zip(TERMS, groups, strict=True):
        items = {meaning(item): item for item in group.ContentSequence}
        assert items["Tracking Identifier"].TextValue == TOOL + term.name
        (line,) = (item for item in items["Area"].ContentSequence if item.ValueType == "SCOORD")
        assert (line.RelationshipType, line.GraphicType) == ("INFERRED FROM", "POLYLINE")
        points = np.reshape(line.GraphicData, (-1, 2))
        assert np.array_equal(points[0], points[-1])
        wanted, uid = largest_piece(run, term)
        assert np.array_equal(filled([points[:-1, ::-1] - 0.5], wanted.shape), wanted)
        assert line.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == uid


@pytest.mark.skipif(
    not (NODE_FOLDER and shutil.which("node")), reason="needs node and @cornerstonejs/adapters"
)
def test_cornerstone_reads_every_area_as_a_drawn_outline(run, report):
    """As OHIF does: same image, same place, same area."""
    script = shutil.copy(SCRIPT, NODE_FOLDER)
    done = subprocess.run(["node", script, run.images, report], capture_output=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    assert len(found) == len(TERMS)
    for term, one in zip(TERMS, found, strict=True):
        wanted, uid = largest_piece(run, term)
        assert (one["tool"], one["image"], one["closed"]) == ("PlanarFreehandROI", uid, True)
        assert one["stats"]["area"] == pytest.approx(run.result.area_mm2(term.side, term.muscle))
        places = (
            np.linalg.inv(run.mask.stored.matrix)
            @ np.column_stack([one["line"], np.ones(len(one["line"]))]).T
        ).T
        assert np.array_equal(filled([places[:, 1::-1]], wanted.shape), wanted)
