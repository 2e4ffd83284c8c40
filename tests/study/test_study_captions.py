"""Figures show, captions tell: no statistics in a figure's title, all of them in its caption."""

import json

from study_maker import make

from glutseg.study.captions import as_page, captions
from glutseg.study.plots import draw
from glutseg.study.record import write_study


def test_the_statistics_stand_in_captions_and_not_in_titles(tmp_path):
    study = make(tmp_path).study(groups=("control", "back-pain"), correlates=("visits",))
    figures = draw(study)
    for figure in figures.values():
        assert not any(axes.get_title(loc) for axes in figure.axes for loc in ("left", "center", "right"))
        assert figure.get_suptitle() == ""
    found = captions(study, figures)
    assert list(found) == list(figures)
    c = study.comparison
    low, high = c.welch.ci.low, c.welch.ci.high
    assert found["groups"] == (
        "Gluteus maximus area / height, mean of both sides in control (n = 8) and back-pain (n = 9). Points: "
        "patients; boxes: median and quartiles; diamonds: means with 95 % CI. Difference "
        f"{c.welch.difference:.0f} mm²/m (95 % CI {low:.0f} to {high:.0f}); Welch's t test, "
        f"p = {c.welch.p:.3f}; Hedges g = {c.effect.hedges_g:.2f} (95 % CI {c.effect.hedges_g_ci.low:.2f} to "
        f"{c.effect.hedges_g_ci.high:.2f})."
    ).replace(" -", " −").replace("p = 0.000", "p < 0.001")
    assert "adjusted for group, r = " in found["correlation-1"]
    assert f"n = {study.correlations[0].n}" in found["correlation-1"]
    assert study.sensitivity.verdict in found["sensitivity"]
    assert not any("nan" in text for text in found.values())


def test_captions_are_written_beside_the_figures(tmp_path):
    study = make(tmp_path).study(groups=("control", "back-pain"))
    names = write_study(tmp_path / "study", study)
    record = json.loads((tmp_path / "study" / "study.json").read_text())
    assert "figures/captions.md" in names
    assert (tmp_path / "study" / "figures" / "captions.md").read_bytes() == as_page(record["captions"])
    drawn = {name.removeprefix("figures/").removesuffix(".svg") for name in names if name.endswith(".svg")}
    assert set(record["captions"]) == drawn


def test_a_column_s_name_stays_as_it_is(tmp_path):
    study = make(tmp_path).study(groups=("control", "back-pain"), value="polygon_area_left_mm2")
    assert captions(study, {"groups": None})["groups"].startswith("polygon_area_left_mm2 in control")
