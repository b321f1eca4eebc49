"""Deliveries: real copies, never over an artist's edit, whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil

import pytest

from assets3d.errors import InputError
from assets3d.export import delivery
from assets3d.export.delivery import Delivery, deliver, deliver_file, opened, withdraw
from assets3d.export.disclosure import disclosure, steam_sentence


@pytest.fixture
def pack(tmp_path):
    return tmp_path / "export/props"


@pytest.fixture
def made(tmp_path):
    """Return a function that makes a package of the asset `mug` with files of given contents."""

    def make(**contents: str) -> Delivery:
        folder = tmp_path / "package"
        shutil.rmtree(folder, ignore_errors=True)
        files = {}
        for name, text in contents.items():
            path = folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o444)
            files[path.relative_to(folder).as_posix()] = path
        return Delivery("mug", files, {"id": "mug", "warnings": []})

    return make


def text_of(pack, name: str) -> str:
    return (pack / "mug" / name).read_text()


def names(pack) -> set[str]:
    folder = pack / "mug"
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_real_writable_copies_and_nothing_to_do_twice(pack, made):
    package = made(a_glb="one", tex__b_png="two")
    outcome = deliver(pack, opened(pack), package)
    assert outcome.changed
    assert names(pack) == {"a.glb", "tex/b.png"}
    copy = pack / "mug/a.glb"
    assert copy.stat().st_nlink == 1
    assert copy.stat().st_mode & 0o200
    copy_time = copy.stat().st_mtime_ns
    state = opened(pack)
    assert not deliver(pack, state, package).changed
    assert copy.stat().st_mtime_ns == copy_time
    assert set(state.entries["mug"]["sha256"]) == {"mug/a.glb", "mug/tex/b.png"}
    copy.write_text("edited")  # changes nothing else
    assert package.files["a.glb"].read_text() == "one"


def test_what_changed_is_replaced_and_what_is_made_no_more_goes(pack, made):
    deliver(pack, opened(pack), made(a_glb="one", b_png="two", c_obj="three"))
    kept = (pack / "mug/b.png").stat().st_mtime_ns
    assert deliver(pack, opened(pack), made(a_glb="new", b_png="two")).changed
    assert names(pack) == {"a.glb", "b.png"}
    assert text_of(pack, "a.glb") == "new"
    assert (pack / "mug/b.png").stat().st_mtime_ns == kept


def test_an_edited_file_stays_and_the_new_one_lies_beside_it(pack, made):
    deliver(pack, opened(pack), made(a_glb="one", b_png="two"))
    (pack / "mug/a.glb").write_text("edited")
    (pack / "mug/mine.blend").write_text("my own")
    # Nothing new: nothing is said or written.
    same = deliver(pack, opened(pack), made(a_glb="one", b_png="two"))
    assert (same.changed, same.lines) == (False, ())
    found = deliver(pack, opened(pack), made(a_glb="new", b_png="two"))
    line = "mug/a.glb was edited by hand and stays; the new one is a.new.glb"
    assert found.lines == (line,)
    assert names(pack) == {"a.glb", "a.new.glb", "b.png", "mine.blend"}
    assert (text_of(pack, "a.glb"), text_of(pack, "a.new.glb")) == ("edited", "new")
    # Once is enough; a thrown away one does not come back; a newer one does.
    assert not deliver(pack, opened(pack), made(a_glb="new", b_png="two")).changed
    (pack / "mug/a.new.glb").unlink()
    assert not deliver(pack, opened(pack), made(a_glb="new", b_png="two")).changed
    deliver(pack, opened(pack), made(a_glb="newer", b_png="two"))
    assert text_of(pack, "a.new.glb") == "newer"
    # Taking it over makes it an ordinary delivered file again.
    (pack / "mug/a.new.glb").replace(pack / "mug/a.glb")
    assert deliver(pack, opened(pack), made(a_glb="newest", b_png="two")).lines == ()
    assert text_of(pack, "a.glb") == "newest"
    assert text_of(pack, "mine.blend") == "my own"


def test_an_edited_file_that_is_made_no_more_stays(pack, made):
    deliver(pack, opened(pack), made(a_glb="one", c_obj="three"))
    (pack / "mug/c.obj").write_text("edited")
    found = deliver(pack, opened(pack), made(a_glb="one"))
    assert found.lines == ("mug/c.obj was edited by hand and stays; it is made no more",)
    assert names(pack) == {"a.glb", "c.obj"}


def test_a_withdrawn_asset_leaves_what_was_edited_or_added(pack, made):
    deliver(pack, opened(pack), made(a_glb="one", tex__b_png="two"))
    (pack / "mug/a.glb").write_text("edited")
    (pack / "mug/mine.txt").write_text("my own")
    state = opened(pack)
    lines = withdraw(pack, state, "mug").lines
    assert [line.split(" was ")[0] for line in lines] == ["mug/a.glb", "mug/mine.txt"]
    assert names(pack) == {"a.glb", "mine.txt"}
    assert "mug" not in opened(pack).files
    shutil.rmtree(pack / "mug")
    deliver(pack, opened(pack), made(a_glb="one", tex__b_png="two"))
    withdraw(pack, opened(pack), "mug")
    assert not (pack / "mug").exists()


def test_somebody_elses_folder_is_refused(pack):
    pack.mkdir(parents=True)
    opened(pack)  # an empty one is fine
    (pack / "game.cfg").write_text("theirs")
    with pytest.raises(InputError, match="holds files that were not delivered here"):
        opened(pack)
    (pack / delivery.STATE_FILE).write_text("not JSON")
    with pytest.raises(InputError, match="cannot be read, so edited files cannot be told"):
        opened(pack)
    with pytest.raises(InputError, match="is a file, wanted a folder"):
        opened(pack / "game.cfg")
    assert {path.name for path in pack.iterdir()} == {"game.cfg", delivery.STATE_FILE}


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_full_disk_leaves_the_asset_as_it_was(pack, made, monkeypatch, after):
    deliver(pack, opened(pack), made(a_glb="one", b_png="two", c_png="three"))
    (pack / "mug/b.png").write_text("edited")
    before = {name: text_of(pack, name) for name in names(pack)}
    state_before = (pack / delivery.STATE_FILE).read_text()
    real, calls = shutil.copyfile, []

    def full(source, target, **more):
        calls.append(target)
        if len(calls) > after:
            target.write_text("hal")  # the first bytes of it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(source, target, **more)

    monkeypatch.setattr(delivery.shutil, "copyfile", full)
    package = made(a_glb="new", b_png="newer", c_png="newest")
    with pytest.raises(OSError, match="No space left"):
        deliver(pack, opened(pack), package)
    assert {name: text_of(pack, name) for name in names(pack)} == before
    assert (pack / delivery.STATE_FILE).read_text() == state_before
    assert {path.name for path in pack.iterdir()} == {"mug", delivery.STATE_FILE}
    monkeypatch.undo()
    assert deliver(pack, opened(pack), package).changed
    assert names(pack) == {"a.glb", "b.png", "b.new.png", "c.png"}


def test_a_kill_between_two_renames_loses_nothing(pack, made):
    deliver(pack, opened(pack), made(a_glb="one"))
    (pack / "mug").rename(pack / ".replaced-mug")
    (pack / ".delivering-mug").mkdir()
    opened(pack)
    assert text_of(pack, "a.glb") == "one"
    assert {path.name for path in pack.iterdir()} == {"mug", delivery.STATE_FILE}
    # Killed after the files and before the state: what lies there is the delivery.
    (pack / "mug/a.glb").write_text("new")
    assert deliver(pack, opened(pack), made(a_glb="new")).lines == ()


def test_files_of_the_pack_itself(pack):
    state = opened(pack)
    assert deliver_file(pack, state, "manifest.json", b"1").changed
    assert not deliver_file(pack, state, "manifest.json", b"1").changed
    (pack / "manifest.json").write_text("mine")
    assert not deliver_file(pack, state, "manifest.json", b"1").changed
    lines = deliver_file(pack, state, "manifest.json", b"2").lines
    assert lines == (
        "manifest.json was edited by hand and stays; the new one is manifest.new.json",
    )
    assert (pack / "manifest.json").read_text() == "mine"
    assert (pack / "manifest.new.json").read_text() == "2"


def test_disclosure():
    mug = {"id": "mug", "kind": "prop", "made_by": "network", "licences": ["sdxl: OpenRAIL++"]}
    wall = {"id": "wall", "kind": "material", "made_by": "formula", "licences": []}
    page = disclosure("village", [{**mug, "commercial": True}, {**wall, "commercial": None}])
    assert "| mug | prop | made by AI | sdxl: OpenRAIL++ | yes |" in page
    assert "| wall | material | computed, no AI | - | nobody checked |" in page
    assert "3D props were pre-generated with AI" in steam_sentence([mug, wall])
    assert "surface" not in steam_sentence([mug, wall])
    assert steam_sentence([wall]) == "These assets were made without generative AI."
    assert json.dumps(steam_sentence([])) == '"These assets were made without generative AI."'
