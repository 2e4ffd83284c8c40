"""Headers that contradict themselves, or name images that are no ordinary CT of a person."""

from dataclasses import replace

import numpy as np
import pytest
from dicom_builder import pattern, write_series

from glutseg.dicom import choose, read, scan, series_flags, why_none
from glutseg.errors import GlutsegError
from glutseg.protocol import SeriesRule

RULE = SeriesRule()
HU = np.broadcast_to(pattern((1, 8, 8)), (30, 8, 8))
SQUARE = {"PixelSpacing": ["0.8", "0.8"], "SliceThickness": "3"}
"""8 pixels of 0.8 mm: 6.4 mm."""


@pytest.fixture
def study_with(tmp_path):
    def make(hu=HU, **tags):
        write_series(tmp_path, hu, **(SQUARE | tags))
        (study,) = scan(tmp_path).studies
        return study

    return make


def flags_of(study):
    (series,) = study.series
    return {flag.code: flag.message for flag in series_flags(series, RULE)}


@pytest.mark.parametrize("diameter_mm", ["6.4", "6.43"])
def test_a_diameter_that_fits_the_pixels_is_no_matter(study_with, diameter_mm):
    assert flags_of(study_with(ReconstructionDiameter=diameter_mm)) == {}


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.3])
def test_a_spacing_that_the_diameter_excludes_is_refused(study_with, factor):
    spacing = [f"{0.8 * factor:.4f}"] * 2
    study = study_with(ReconstructionDiameter="6.4", PixelSpacing=spacing)
    choice = choose(study, RULE)
    code, message = why_none(study, choice.rejected_series)
    assert (choice.candidates, code) == ((), "spacing-contradicted")
    assert "Reconstruction Diameter is 6 mm" in message
    assert f"{factor - 1:+.0%}" in message
    assert choose(study, RULE, single_slices=True).candidates == ()
    with pytest.raises(GlutsegError, match="Reconstruction Diameter") as caught:
        read(study.series[0])
    assert caught.value.code == "spacing-contradicted"


def test_a_single_slice_with_such_a_spacing_is_refused_as_well(study_with):
    study = study_with(HU[:1], ReconstructionDiameter="6.4", PixelSpacing=["1", "1"])
    assert choose(study, RULE, single_slices=True).candidates == ()
    assert choose(study_with(HU[:1]), RULE, single_slices=True).candidates


def test_one_of_two_spacings_that_does_not_fit_is_enough(study_with):
    study = study_with(ReconstructionDiameter="6.4", PixelSpacing=["0.8", "0.9"])
    assert study.series[0].problem.code == "spacing-contradicted"


def test_a_small_difference_asks_for_a_look(study_with):
    found = flags_of(study_with(ReconstructionDiameter="6.2"))
    assert list(found) == ["spacing-uncertain"]
    assert "6 mm: +3%" in found["spacing-uncertain"]


@pytest.mark.parametrize(
    "tags",
    [
        {"ImageType": ["DERIVED", "SECONDARY", "AXIAL"]},
        {"hu": HU[:, :6]},
        {"ReconstructionDiameter": "0"},
    ],
)
def test_what_was_resampled_or_cropped_may_differ(study_with, tags):
    assert flags_of(study_with(**({"ReconstructionDiameter": "9"} | tags))) == {}


def test_the_aspect_ratio_contradicts_the_spacing(study_with):
    assert flags_of(study_with(PixelAspectRatio=["1", "1"])) == {}
    found = flags_of(study_with(PixelAspectRatio=["4", "5"]))
    assert found == {"spacing-uncertain": "Pixel Aspect Ratio is 4:5, that of Pixel Spacing 1.000"}


@pytest.mark.parametrize("tilt", ["15", "-15"])
def test_a_tilt_that_only_the_gantry_tells(study_with, tilt):
    found = flags_of(study_with(GantryDetectorTilt=tilt))
    assert list(found) == ["gantry-tilt-contradicted"]
    assert "15 degrees, the slices are tilted by 0.0" in found["gantry-tilt-contradicted"]


def test_no_tilt_and_one_that_the_slices_show_are_no_contradiction(study_with):
    assert flags_of(study_with(GantryDetectorTilt="0")) == {}
    y, z = np.cos(np.radians(15)), np.sin(np.radians(15))
    slanted = [1, 0, 0, 0, f"{y:.6f}", f"{z:.6f}"]
    assert flags_of(study_with(GantryDetectorTilt="15", ImageOrientationPatient=slanted)) == {}


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"Modality": "PT"}, "Modality is PT"),
        ({"AnatomicalOrientationType": "QUADRUPED"}, "an animal"),
        ({"SeriesDescription": "kV_CBCT"}, "cone-beam"),
        ({"ManufacturerModelName": "On-Board Imager"}, "cone-beam"),
        ({"ManufacturerModelName": "AXIOM-Artis"}, "cone-beam"),
        ({"SeriesDescription": "Mono+ 50keV 1.5 Qr40"}, "dual-energy"),
        ({"SeriesDescription": "MonoE 70 keV"}, "dual-energy"),
        ({"SeriesDescription": "Abd VNC 3.0"}, "dual-energy"),
        ({"SeriesDescription": "Iodine(Water)"}, "dual-energy"),
        ({"SeriesDescription": "Z Effective"}, "dual-energy"),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL", "VMI"]}, "dual-energy"),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL", "MAT_SPECIFIC"]}, "dual-energy"),
        ({"SeriesDescription": "Thick MIP ax"}, "projection"),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL", "CT_SOM5 MIP"]}, "projection"),
        ({"VolumeBasedCalculationTechnique": "MAX_IP"}, "projection"),
    ],
)
def test_images_that_are_no_ordinary_ct_are_named(study_with, tags, words):
    found = flags_of(study_with(**tags))
    assert list(found) == ["header-unusual"]
    assert words in found["header-unusual"]


@pytest.mark.parametrize("description", ["CTAC", "AC CT 5.0 HD FoV", "WB_CT_AC"])
def test_the_ct_for_attenuation_correction_is_noted(study_with, description):
    assert list(flags_of(study_with(SeriesDescription=description))) == ["attenuation-ct"]


ORDINARY = """
PELVIS 3.0 B30f|Abd/Becken portalvenös 3.0 Br36|WB 5.0|Monitoring|Hip MPR ax 2.0|KUB contrast|ABD vue axiale|
DE_Mix F_0.5|AC joint, hip|Pelvis obl
"""


@pytest.mark.parametrize(
    "tags",
    [
        *({"SeriesDescription": text.strip()} for text in ORDINARY.split("|")),
        {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]},
        {"ManufacturerModelName": "Brilliance Big Bore"},
        {"ManufacturerModelName": "Discovery CT750 HD"},
        {"AnatomicalOrientationType": "BIPED"},
        {"Modality": ""},
        {"VolumeBasedCalculationTechnique": "NONE"},
    ],
)
def test_ordinary_names_are_not_flagged(study_with, tags):
    assert flags_of(study_with(**tags)) == {}


def test_an_ordinary_series_goes_first(study_with):
    (series,) = study_with().series
    spectral = replace(series, series_uid="0", tags=replace(series.tags, description="VNC 3.0"))
    study = replace(study_with(), series=(spectral, series))
    assert [one.series_uid for one in choose(study, RULE).candidates] == [series.series_uid, "0"]


def test_a_foreign_text_for_a_modality_is_not_repeated(study_with):
    found = flags_of(study_with(Modality="SMITH ANNA"))
    assert found == {"header-unusual": "Modality is another one, not CT"}
