"""`assets3d props list`: what may be said is what the shipped model was taught."""

from __future__ import annotations

from PIL import Image

from assets3d.images.words import Words, unknown_words
from stages import cli
from stages._known import draw_sheet, image_words, known_lines


def test_what_is_listed_is_known_and_the_rest_is_said_to_be_unknown():
    words = Words(frozenset({"red", "mug", "cup", "wooden", "crate", "two"}))
    text = "\n".join(known_lines(words))
    assert "mug (cup)" in text
    assert "crate" in text
    assert "colours     red" in text
    assert "materials   wooden" in text
    assert "also        two" in text
    not_taught = text.partition("not taught")[2]
    assert "sword" in not_taught
    assert "mug" not in not_taught


def test_the_shipped_model_knows_what_is_listed():
    words = image_words()
    for line in known_lines(words):
        if line.startswith("colours"):
            assert unknown_words(line.removeprefix("colours"), words) == {}


def test_a_model_that_knows_everything_has_no_unknown_part():
    text = "\n".join(known_lines(None))
    assert "not taught" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_command_draws_every_known_prop(project, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(project.root)
    monkeypatch.setattr("stages._known._PICTURE_PX", 24)
    words = Words(frozenset({"mug", "crate", "sword"}))
    monkeypatch.setattr("stages._known.image_words", lambda: words)
    assert cli.main(["props", "list", "--pictures"]) == 0
    assert "3 props: runs/known_props.png" in capsys.readouterr().out
    with Image.open(project.root / "runs/known_props.png") as sheet:
        assert sheet.width == 8 * 24
        assert len(set(sheet.convert("L").getdata())) > 20
    assert draw_sheet(tmp_path / "x.png", words) == 3
