import json

import pytest

from glutseg.errors import GlutsegError
from glutseg.study import figures
from glutseg.study.files import check_folder, csv_bytes, json_bytes, rounded, write_files


def record(*files):
    return json_bytes({"program": "glutseg", "files": list(files)})


def test_unknowns_are_empty_and_texts_no_formulas():
    rows = [{"a": "=1+1", "b": float("nan")}, {"a": None, "b": 1 / 3}]
    assert csv_bytes(rows).decode() == "a,b\n'=1+1,\n,0.333333\n"
    assert csv_bytes([], ["a"]).decode() == "a\n"
    assert json.loads(json_bytes({"x": float("inf"), "y": [1.23456789]})) == {"x": None, "y": [1.23457]}
    assert str(rounded(-0.0)) == "0.0"


def test_files_of_an_earlier_result_go_and_others_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    write_files(
        tmp_path, "study.json", {"study.json": record("a.csv", "f/b.svg"), "a.csv": b"1", "f/b.svg": b"2"}
    )
    with pytest.raises(GlutsegError, match="output-exists"):
        check_folder(tmp_path, "study.json", ["a.csv"])
    check_folder(tmp_path, "study.json", ["a.csv"], overwrite=True)
    write_files(tmp_path, "study.json", {"study.json": record("a.csv"), "a.csv": b"3"})
    assert (tmp_path / "a.csv").read_bytes() == b"3"
    assert not (tmp_path / "f" / "b.svg").exists()
    assert (tmp_path / "mine.txt").exists()


def test_files_that_are_not_ours_are_never_replaced(tmp_path):
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(GlutsegError, match="output-foreign"):
        check_folder(tmp_path, "study.json", ["a.csv"], overwrite=True)


def test_what_fails_halfway_leaves_nothing(tmp_path, monkeypatch):
    files = {"a.csv": b"1", "b.csv": b"2", "study.json": record("a.csv", "b.csv")}
    whole = atomic_write(monkeypatch, fails_at="b.csv")
    with pytest.raises(GlutsegError, match="output-unwritable"):
        write_files(tmp_path, "study.json", files)
    assert list(tmp_path.iterdir()) == []
    assert whole == ["study.json", "a.csv"]


def atomic_write(monkeypatch, fails_at):
    """Writes as ever, but not one file; returns the names that were written."""
    from glutseg.study import files as module

    write, done = module.write_bytes, []

    def some(path, content):
        if path.name == fails_at:
            raise GlutsegError("output-unwritable", "no space left on device", str(path))
        write(path, content)
        done.append(path.name)

    monkeypatch.setattr(module, "write_bytes", some)
    return done


def test_what_a_killed_program_left_is_replaced(tmp_path):
    left = {"program": "glutseg", "state": "writing", "files": ["a.csv", "old.csv"]}
    (tmp_path / "study.json").write_bytes(json_bytes(left))
    for name in ("a.csv", "old.csv"):
        (tmp_path / name).write_text("half")
    check_folder(tmp_path, "study.json", ["a.csv"])
    write_files(tmp_path, "study.json", {"study.json": record("a.csv"), "a.csv": b"1"})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "study.json"]


@pytest.mark.parametrize("name", ["../mine.txt", "/etc/mine", "x/../../mine.txt", "c:/mine"])
def test_a_hostile_record_removes_nothing_outside(tmp_path, name):
    (tmp_path / "mine.txt").write_text("mine")
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.json").write_bytes(record(name))
    write_files(folder, "study.json", {"study.json": record()})
    assert (tmp_path / "mine.txt").exists()


def test_the_same_figure_gives_the_same_bytes_and_texts_no_formula():
    def draw():
        with figures.style():
            figure, axes = figures.new_axes()
            axes.plot([0, 1], [0, 1], label=figures.label("cost in $ of a_b^c $x"))
            axes.legend()
            return figures.files_of(figure, "one")

    first, second = draw(), draw()
    assert sorted(first) == ["one.png", "one.svg"]
    assert first == second
    assert b"<dc:date>" not in first["one.svg"]
    assert figures.label("a\x1b[31m" + "b" * 99).startswith("a [31mbb")
    assert len(figures.label("b" * 99)) == figures.MAX_LABEL
