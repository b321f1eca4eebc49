"""What the store hands out is whole; what is damaged is built again."""

from __future__ import annotations

import os

import pytest

from stages import _keys, _store
from stages._store import Store, link_item

PARTS = {"step": "image", "seed": 1}
KEY = _keys.item_key(PARTS)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def put(store: Store, content: bytes = b"picture") -> None:
    folder = store.temporary()
    (folder / "image.png").write_bytes(content)
    store.put("image", KEY, PARTS, folder, 1.5)


def test_round_trip_and_hard_links(store, tmp_path):
    put(store)
    item = store.find("image", KEY)
    assert item.parts == PARTS
    assert item.seconds == 1.5
    link_item(item, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["image.png"]
    assert (tmp_path / "out/image.png").stat().st_nlink == 2


def test_files_in_folders_of_an_item(store, tmp_path):
    folder = store.temporary()
    (folder / "unreal").mkdir()
    (folder / "unreal/T_rock_N.png").write_bytes(b"normals")
    store.put("image", KEY, PARTS, folder, 1.5)
    link_item(store.find("image", KEY), tmp_path / "out")
    assert (tmp_path / "out/unreal/T_rock_N.png").read_bytes() == b"normals"
    damaged = store.folder("image", KEY) / "unreal/T_rock_N.png"
    damaged.chmod(0o644)
    damaged.write_bytes(b"nonsense")
    assert store.find("image", KEY) is None


def test_files_are_read_only_and_removing_them_harms_nothing(store, tmp_path):
    put(store)
    link_item(store.find("image", KEY), tmp_path / "out")
    assert not (tmp_path / "out/image.png").stat().st_mode & 0o222
    _store.discard(tmp_path / "out")
    assert store.find("image", KEY) is not None


@pytest.mark.parametrize("damage", ["same size", "cut", "gone", "manifest", "parts"])
def test_a_damaged_item_is_not_found_and_is_replaced(store, damage):
    put(store)
    folder = store.folder("image", KEY)
    for path in folder.iterdir():
        path.chmod(0o644)
    if damage == "same size":
        (folder / "image.png").write_bytes(b"pictuRe")
    elif damage == "cut":
        (folder / "image.png").write_bytes(b"pict")
    elif damage == "gone":
        (folder / "image.png").unlink()
    elif damage == "manifest":
        (folder / "item.json").write_text("{")
    else:
        text = (folder / "item.json").read_text()
        (folder / "item.json").write_text(text.replace('"seed":1', '"seed":2'))
    assert store.find("image", KEY) is None
    put(store)
    assert store.find("image", KEY) is not None
    assert (folder / "image.png").read_bytes() == b"picture"


def test_two_builders_of_one_key_do_no_harm(store):
    put(store)
    before = (store.folder("image", KEY) / "image.png").stat().st_ino
    put(store)
    assert (store.folder("image", KEY) / "image.png").stat().st_ino == before


def test_copies_where_links_are_impossible(store, tmp_path, monkeypatch):
    put(store)

    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    link_item(store.find("image", KEY), tmp_path / "out")
    assert (tmp_path / "out/image.png").read_bytes() == b"picture"


def test_sweep_removes_only_what_dead_processes_left(store):
    mine = store.temporary()
    host = mine.name.partition(f"-{os.getpid()}-")[0]
    dead = mine.with_name(f"{host}-99999999-abc")
    elsewhere = mine.with_name("other-host-1-abc")
    dead.mkdir()
    elsewhere.mkdir()
    store.sweep()
    assert mine.is_dir()
    assert elsewhere.is_dir()
    assert not dead.exists()


def test_sweep_finishes_what_was_half_removed(store):
    put(store)
    host = store.temporary().name.partition(f"-{os.getpid()}-")[0]
    dead = [
        store.root / ".building" / f"{host}-99999999-abc.discarded-99999999",
        store.root / "image" / f"{KEY}.discarded-99999999",
        store.root.parent / "mesh.discarded-99999999",
    ]
    alive = store.root.parent / f"views.discarded-{os.getpid()}"
    for folder in (*dead, alive):
        folder.mkdir()
        (folder / "image.png").write_bytes(b"half")
    store.sweep()
    assert not [folder for folder in dead if folder.exists()]
    assert alive.is_dir()
    assert store.find("image", KEY) is not None
