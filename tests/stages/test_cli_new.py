"""`assets3d new`: words, files and folders become entries of the manifest."""

from __future__ import annotations

import pytest
import yaml
from PIL import Image

from assets3d.errors import InputError
from stages import _keys, cli
from stages._new import free_id, read_script
from tests.images.test_likeness import scene

START = "# mine\ncrate: {prompt: a crate}  # keep\n"


@pytest.fixture
def here(project, monkeypatch):
    project.write_manifest(START)
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(_keys, "CODE_ROOT", project.root)
    return project


@pytest.fixture
def photos(tmp_path):
    """Return a folder with two objects, one of them twice, and three files that are none."""
    folder = tmp_path / "my photos"
    (folder / "more").mkdir(parents=True)
    Image.fromarray(scene(1)).save(folder / "Cup.PNG")
    Image.fromarray(scene(1)).resize((97, 97)).save(folder / "cup small.jpg")
    Image.fromarray(scene(2)).save(folder / "2 Keys.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("hello")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


def new(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(["new", *map(str, arguments)])
    out, err = capsys.readouterr()
    return status, out, err


def added(here) -> dict:
    text = (here.root / "configs/assets.yaml").read_text()
    assert text.startswith(START)
    return {name: entry for name, entry in yaml.safe_load(text).items() if name != "crate"}


def test_words_alone(here, capsys):
    assert new(capsys, "a red mushroom", "--height-m", "0.3")[0] == 0
    assert new(capsys, "A Red Mushroom")[0] == 0
    assert new(capsys, "crate", "--seed", "4")[0] == 0
    assert added(here) == {
        "red_mushroom": {"prompt": "a red mushroom", "height_m": 0.3},
        "red_mushroom_2": {"prompt": "A Red Mushroom"},
        "crate_2": {"prompt": "crate", "seed": 4},
    }


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("the king's crown, old", "kings_crown_old"),
        ("Ein grüner Krug", "ein_gruner_krug"),
        ("3 keys", "asset_3_keys"),
        ("赤いきのこ", "asset"),
        ("an", "an"),
        ("a " + "very " * 20 + "long table", "very_very_very_very_very_very_very_very"),
    ],
)
def test_ids_from_words(words, name):
    assert free_id(words, ()) == name
    assert free_id(words, (name, f"{name}_2")) == f"{name}_3"


@pytest.mark.parametrize(
    ("arguments", "entry"),
    [
        (("mossy rock", "--kind", "material"), {"kind": "material", "prompt": "mossy rock"}),
        (("a seamless wood texture",), {"kind": "material", "prompt": "a seamless wood texture"}),
        (
            ("x", "--procedural", "cobble", "--size-px", "512", "--packs", "unreal"),
            {"kind": "material", "procedural": "cobble", "size_px": 512, "packs": ["unreal"]},
        ),
        (
            ("x", "--script", "walk 3 s, trot 4 s turn 40 deg/s, jump 1", "--fps", "30"),
            {
                "kind": "motion",
                "script": [{"walk": "3 s"}, {"trot": "4 s", "turn": "40 deg/s"}, {"jump": 1}],
                "fps": 30,
            },
        ),
        (
            ("walk 3 s, sit 2 s", "--kind", "motion", "--id", "x", "--set", "clips=commands"),
            {"kind": "motion", "script": [{"walk": "3 s"}, {"sit": "2 s"}], "clips": "commands"},
        ),
        (("x", "--prompt", "a mug"), {"prompt": "a mug"}),
    ],
)
def test_every_kind(here, capsys, arguments, entry):
    status, _, err = new(capsys, *arguments)
    assert status == 0, err
    assert list(added(here).values()) == [entry]


def test_scripts_in_yaml_and_in_words():
    assert read_script("[{walk: 3 s}, {path: [[0, 0], [0, 3]]}]")[1] == {"path": [[0, 0], [0, 3]]}
    assert read_script("trot 4 turn 40") == [{"trot": 4, "turn": 40}]
    for wrong in ("walk", "walk fast", "walk 3 s turn", "[{walk"):
        with pytest.raises(InputError, match="script: "):
            read_script(wrong)


def test_a_folder_of_pictures(here, capsys, photos):
    status, out, err = new(capsys, photos, "--height-m", "0.2")
    assert status == 1  # one is no picture
    assert added(here) == {
        "asset_2_keys": {"image": "inputs/my photos/2 Keys.png", "height_m": 0.2},
        "cup": {"image": "inputs/my photos/Cup.PNG", "height_m": 0.2},
        "cup_small": {"image": "inputs/my photos/cup small.jpg", "height_m": 0.2},
    }
    assert (here.root / "inputs/my photos/Cup.PNG").is_file()
    (twins,) = [line for line in out.splitlines() if "looks like" in line]
    assert twins.startswith("cup_small: cup small.jpg looks like Cup.PNG (cup; ")
    assert len(err.splitlines()) == 1
    assert "left out: image: broken.jpg" in err
    # Once more: nothing is there twice, and what was added to the folder comes in.
    (photos / "broken.jpg").unlink()
    Image.fromarray(scene(3)).save(photos / "cup.webp")
    status, out, _ = new(capsys, photos)
    assert status == 0
    assert out.count("is there already") == 3
    assert added(here)["cup_2"] == {"image": "inputs/my photos/cup.webp"}
    assert len(added(here)) == 4
    # With nothing new the manifest stays as it is.
    text = here.root.joinpath("configs/assets.yaml").read_text()
    status, out, _ = new(capsys, photos)
    assert (status, out.count("is there already")) == (0, 4)
    assert here.root.joinpath("configs/assets.yaml").read_text() == text


def test_single_files_go_where_they_belong(here, capsys, photos, tmp_path):
    for name in ("vase.ply", "take.bvh", "person.npy", "scan.fbx"):
        (tmp_path / name).write_bytes(b"bytes")
    (here.root / "inputs/cup.png").write_bytes((photos / "Cup.PNG").read_bytes())
    views = tmp_path / "chest"
    views.mkdir()
    (views / "transforms.json").write_text("{}")
    for given in ("inputs/cup.png", tmp_path / "vase.ply", tmp_path / "take.bvh", views):
        assert new(capsys, given)[0] == 0
    assert new(capsys, tmp_path / "person.npy", "--id", "dancer")[0] == 0
    assert added(here) == {
        "cup": {"image": "inputs/cup.png"},
        "vase": {"splats": "inputs/vase.ply"},
        "take": {"kind": "motion", "bvh": "inputs/take.bvh"},
        "chest": {"views": "inputs/chest"},
        "dancer": {"kind": "motion", "joints": "inputs/person.npy"},
    }
    # Never over another file of the same name.
    (tmp_path / "vase.ply").write_bytes(b"other")
    assert new(capsys, tmp_path / "vase.ply")[0] == 0
    assert added(here)["vase_2"] == {"splats": "inputs/vase_2.ply"}
    assert (here.root / "inputs/vase.ply").read_bytes() == b"bytes"
    assert "found scan.fbx, wanted a picture" in new(capsys, tmp_path / "scan.fbx")[2]


def test_a_path_starts_where_the_person_stands(here, capsys, monkeypatch, photos):
    monkeypatch.chdir(photos)
    monkeypatch.setattr("stages.cli.find_project", lambda: _project_at(here.root, monkeypatch))
    assert new(capsys, "Cup.PNG")[0] == 0
    assert added(here)["cup"] == {"image": "inputs/Cup.PNG"}


def _project_at(root, monkeypatch):
    from stages._project import find_project

    monkeypatch.chdir(root)
    return find_project()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "found nothing to make"),
        (("photos/none",), "found nothing at photos/none, wanted words"),
        (("cup.png",), "found nothing at cup.png"),
        (("inputs",), "found no picture in inputs"),
        (("a mug", "--id", "crate"), "crate is taken"),
        (("a mug", "--set", "facess=3"), "facess: unknown field, did you mean faces?"),
        (("a mug", "--set", "faces"), "--set: found 'faces', wanted FIELD=VALUE"),
        (("a mug", "--size-px", "512"), "size_px: unknown field"),
        (("x", "--procedural", "cobbel"), "did you mean cobble?"),
        (("walk", "--kind", "motion"), "script: found 'walk', wanted a command and how long"),
    ],
)
def test_what_means_nothing_is_one_line_and_changes_nothing(here, capsys, arguments, words):
    status, _, err = new(capsys, *arguments)
    assert status == 1
    assert words in err
    assert len(err.splitlines()) == 1
    assert added(here) == {}


@pytest.mark.parametrize("text", ["{a: {prompt: b}}\n", "a:\n  prompt: |\n    words\n...\n"])
def test_a_manifest_that_cannot_be_continued_stays_as_it_is(here, capsys, text):
    path = here.root / "configs/assets.yaml"
    path.write_text(text)
    status, _, err = new(capsys, "a mug")
    assert status == 1
    assert "nothing can be put behind its last line" in err
    assert path.read_text() == text
    assert [p.name for p in path.parent.glob("assets.yaml*")] == ["assets.yaml"]


def test_the_first_asset_of_all(here, capsys):
    (here.root / "configs/assets.yaml").unlink()
    assert new(capsys, "a mug")[0] == 0
    text = (here.root / "configs/assets.yaml").read_text()
    assert text == "mug: {prompt: a mug}\n"
