"""The page as text: what it says, that nothing on it acts, that it is the same each time."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from report_runs import CASES, HOSTILE

from glutseg import agreement, review
from glutseg.errors import GlutsegError, catalogue
from glutseg.output.folder import prepare
from glutseg.output.overlay import SIZE
from glutseg.report import gather, render, write_report
from glutseg.report.page import policy
from glutseg.report.pictures import case_pictures, size_for
from glutseg.review import final_rows
from glutseg.study.run_rows import read_run
from made_run import MadeCase, make_run, some_cases


class Page(HTMLParser):
    """Elements, text, and every address on the page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self.inside = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.inside):
            self.words.append(data)

    def of(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def text(full_run):
    return render(gather(full_run))


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_it_says_what_a_reader_needs(page):
    for words in ("sides-differ", catalogue()["sides-differ"].meaning, catalogue()["sides-differ"].remedy,
                  catalogue()["hips-not-found"].remedy, "a localizer", "Not a medical device",
                  "accepted", "corrected", "rejected", "metal", "Agreement between raters", "ICC(2,1)",
                  "no patient may be judged", "scikit-image", "Homma et al."):  # fmt: skip
        assert words in page.text, words


def test_hostile_words_are_text_only(page, text):
    assert HOSTILE in "".join(page.words)
    assert "<script>document" not in text
    assert page.of("script") == [{}]
    assert not [a for _, attrs in page.elements for a in attrs if a.startswith("on")]
    assert not page.of("iframe", "object", "embed", "base")


def test_it_opens_no_address_but_its_own(page):
    addresses = [attrs[name] for _, attrs in page.elements for name in ("src", "href") if name in attrs]
    assert addresses
    assert all(a.startswith(("data:", "#")) for a in addresses)
    assert not [a for a in page.of("form") if "action" in a]
    (rule,) = [a["content"] for a in page.of("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert rule.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in rule
    assert policy("a", "b") != policy("a", "c")


def test_every_picture_has_words_and_every_field_a_label(page):
    labels = {attrs["for"] for attrs in page.of("label")}
    assert {attrs["id"] for attrs in page.of("input", "select")} == labels
    images = page.of("img")
    assert all("alt" in attrs and attrs["width"] and attrs["height"] for attrs in images)
    decorative = [attrs for attrs in images if not attrs["alt"]]
    assert len(decorative) == 4  # the thumbnails: their link names the case; two cases have none
    assert all(attrs.get("aria-label") for attrs in page.of("svg"))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = [a[n] for _, a in page.elements for n in ("aria-labelledby",) if n in a]
    targets += [a["href"][1:] for a in page.of("a")]
    assert set(targets) <= set(ids)


def test_headings_go_down_step_by_step(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_what_counts_is_what_people_decided(full_run):
    cases = {case.patient_id: case for case in gather(full_run).cases}
    assert (cases["P01"].decision, cases["P01"].status) == ("accepted", "ok")
    assert cases["P02"].area_right == "420"  # 14 x 10 pixels of 3 mm², as corrected
    assert (cases["P03"].status, cases["P03"].error.code) == ("excluded", "case-rejected")
    assert cases["P03"].area_mean == ""
    assert cases["P10"].picture is None
    assert cases["=P11"].index == f"{(20 + 19) / 2 * 30 / 1.6:.0f}"


def test_the_same_run_gives_the_same_bytes(full_run, tmp_path):
    first, again = (write_report(full_run, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == again


def test_it_replaces_its_own_page_only(full_run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(full_run, out)
    assert write_report(out) == out / "report.html"
    write_report(out)
    (out / "report.html").write_text("my own notes")
    with pytest.raises(GlutsegError, match="output-foreign"):
        write_report(out)
    assert (out / "report.html").read_text() == "my own notes"
    with pytest.raises(GlutsegError, match="input-missing"):
        write_report(tmp_path / "nothing", tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()


def test_a_study_beside_the_run_is_shown_and_an_old_one_told(full_run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(full_run, out)
    folder = out / "study" / "figures"
    folder.mkdir(parents=True)
    shutil.copy(out / "agreement" / "identity-1.png", folder / "groups.png")
    record = {"program": "glutseg", "run": {"sha256": "older"}, "summary": [f"Ten patients {HOSTILE}."]}
    record["files"] = ["figures/groups.png", "../../secret.png", "figures/missing.svg", 7]
    record["captions"] = {"groups": f"Points: patients {HOSTILE}.", "missing": 7}
    (out / "study" / "study.json").write_text(json.dumps(record))
    section = gather(out).study
    assert [(figure.title, figure.caption[:16]) for figure in section.figures] == [
        ("The groups", "Points: patients")
    ]
    assert "run glutseg study again" in section.warnings[0]
    assert HOSTILE in "".join(Page(render(gather(out))).words)
    record["run"]["sha256"] = read_run(out).sha256
    (out / "study" / "study.json").write_text(json.dumps(record))
    assert "automatic values" in gather(out).study.warnings[0]
    record["run"]["sha256"] = replace(read_run(out), rows=final_rows(out)).sha256
    (out / "study" / "study.json").write_text(json.dumps(record))
    assert gather(out).study.warnings == ()
    (out / "study" / "study.json").write_text("{broken")
    assert gather(out).study is None


def test_an_agreement_of_an_earlier_state_is_told(full_run, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(full_run, out)

    def told():
        return " ".join(gather(out).agreement.warnings)

    assert "again" not in told()
    review.accept(out, CASES[5].case_id, "Ann")
    assert "again" not in told()  # the table it compares with knows no reviewers
    agreement.agree(out, ["reviewer:Ann"], overwrite=True)
    assert "better than between independent raters" in told()
    assert "again" not in told()
    review.reject(out, CASES[5].case_id, "Ann", "moved")
    assert "run glutseg agree again" in told()


def test_a_new_run_takes_the_old_page_away_and_nobody_elses(full_run, tmp_path):
    out = tmp_path / "out"
    make_run(out, some_cases(1))
    write_report(out)
    (out / "notes.html").write_text("mine")
    prepare(out, overwrite=True)
    assert [path.name for path in out.iterdir()] == ["notes.html"]
    make_run(out, some_cases(1))
    (out / "report.html").write_text("mine")
    prepare(out, overwrite=True)
    assert (out / "report.html").read_text() == "mine"


def test_without_people_or_heights(tmp_path):
    out = make_run(tmp_path / "out", [MadeCase("A", height_m=None)]).out
    report = gather(out)
    assert report.overview is None
    assert report.agreement is None
    assert not report.has_decisions
    told = " ".join(report.methods)
    assert "used without manual review" in told
    assert "height" not in told.replace("mean height", "")
    assert "Decision" not in Page(render(report)).text


def test_a_run_in_which_everything_failed(tmp_path):
    failed = [MadeCase(f"F{i}", status="failed", error=("no-ct", "only MR")) for i in range(2)]
    report = gather(make_run(tmp_path / "out", failed).out)
    assert report.methods[0].startswith(
        "Of 2 CT examinations of 2 patients, none were analysed; 2 could not be measured (the study has no "
        "CT image series)."
    )
    page = Page(render(report))
    assert page.text.count(catalogue()["no-ct"].remedy) == 3  # in each case, and among the codes
    assert not page.of("svg", "img")


def test_an_unfinished_run_says_so(tmp_path):
    out = make_run(tmp_path / "out", some_cases(3)).out
    shutil.rmtree(out / "cases" / "P02-0123456789")
    assert "1 study of the run is not done; this page does not show it." in gather(out).unfinished


def test_a_hundred_cases_fit_in_fifteen_megabytes(tmp_path):
    """Grey noise in place of the patient: no real picture is harder to compress."""
    rng = np.random.default_rng(1)
    width, height = SIZE
    blurred = Image.fromarray(rng.integers(0, 90, (height // 2, width // 2), np.uint8)).resize(
        (width, height)
    )
    blurred.convert("RGB").save(tmp_path / "o.png")
    large, small = case_pictures(tmp_path / "o.png", "words", size_for(100), "ok")
    assert (large.width_px, small.width_px) == (1120, 320)
    assert 100 * (len(large.address) + len(small.address)) < 15_000_000
    assert size_for(5000).width_px is None


def test_a_broken_picture_is_left_out(tmp_path):
    (tmp_path / "o.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    assert case_pictures(tmp_path / "o.png", "", size_for(1), "ok") == (None, None)
    assert case_pictures(tmp_path / "none.png", "", size_for(1), "ok") == (None, None)


def test_the_command(full_run, tmp_path):
    command = [sys.executable, "-m", "glutseg.cli", "report", full_run, "-o", tmp_path / "r.html"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "report:" in done.stdout
    assert (tmp_path / "r.html").stat().st_size > 50_000
