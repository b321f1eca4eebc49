"""What a person is told while and after a stage runs."""

from __future__ import annotations

import logging
import sys

import pytest

from assets3d.errors import InputError
from stages import _progress, preflight
from stages._failures import Failure, Failures
from stages._folder import put_back, rewrite, write_state
from stages._logged import logged_warnings
from stages._plan import make_plan
from stages._step import find_step
from stages._store import Store
from stages.specs import PropSpec


def test_many_assets_with_one_message_share_a_line():
    same = [Failure(name, "image", "input", "no card") for name in ("a", "b", "c", "d")]
    other = Failure("e", "mesh", "bug", "x")
    assert _progress.failure_lines([*same[:2], other]) == [
        "a: image: no card",
        "b: image: no card",
        "e: mesh: x",
    ]
    assert _progress.failure_lines([other, *same]) == [
        "e: mesh: x",
        "4 assets (a, b, c ...): image: no card",
    ]


def test_a_warning_of_the_library_becomes_the_items_own(caplog):
    log = logging.getLogger("assets3d.cutout.cutter")
    with logged_warnings() as lines:
        log.warning("the %s\nis full", "picture")
        log.warning("the picture is full")
        log.info("nothing")
    assert lines == ["the picture is full"]
    assert not caplog.records
    log.warning("afterwards")
    assert lines == ["the picture is full"]
    assert [record.getMessage() for record in caplog.records] == ["afterwards"]


def test_a_folder_that_was_taken_away_is_put_back(tmp_path):
    store = Store(tmp_path / ".store")
    built = store.temporary()
    (built / "a.txt").write_text("a")
    parts = {"step": "mesh"}
    from stages._keys import item_key

    key = item_key(parts)
    store.put("mesh", key, parts, built, 0.1)
    item = store.find("mesh", key)
    assert item is not None
    out, failure = tmp_path / "mesh", Failure("axe", "mesh", "input", "bad")
    rewrite(out, {"crate": item}, Failures((failure,), ("cup",)), store)
    before = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    write_state(
        tmp_path,
        "mesh",
        {"keys": {"crate": key, "gone": "0" * 64}, "failed": [vars(failure)], "skipped": ["cup"]},
    )
    put_back(out, "mesh", store)  # it is there: nothing happens
    out.rename(tmp_path / "taken")
    put_back(out, "mesh", store)
    assert {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    put_back(tmp_path / "views", "views", store)
    assert not (tmp_path / "views").exists()


def test_splats_that_a_person_gives_need_no_network(tmp_path):
    (tmp_path / "a.ply").write_bytes(b"ply")
    (tmp_path / "view_000.png").write_bytes(b"png")
    (tmp_path / "transforms.json").write_text("{}")
    params = {"backend": "lgm", "lgm": "no-such-network", "model": "none"}
    assets = {
        "scan": PropSpec(splats=str(tmp_path / "a.ply")),
        "statue": PropSpec(views="unused"),
        "crate": PropSpec(prompt="a crate"),
    }
    plan = make_plan(find_step("splats"), params, assets, lambda *_: tmp_path)
    assert [work.asset for work in plan.work] == ["scan", "statue"]
    (failure,) = plan.failures
    assert failure.asset == "crate"
    assert "no-such-network" in failure.message


@pytest.fixture
def full(project, monkeypatch):
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(preflight, "cuda_cards", lambda: 0)
    monkeypatch.setattr(preflight, "network_is_there", lambda: False)
    return project


def test_one_line_where_the_profile_wants_a_card(full):
    full.write_manifest({"crate": {"prompt": "a crate"}, "axe": {"prompt": "an axe"}})
    with pytest.raises(InputError) as caught:
        preflight.check(full.root / "configs/assets.yaml", "full")
    assert "found no CUDA card" in str(caught.value)
    assert "`profile: embedded`" in str(caught.value)


@pytest.mark.parametrize(
    ("cards", "version", "words"),
    [
        (0, "cuda: Optional[str] = '12.8'", "found no CUDA card"),
        (1, "cuda: Optional[str] = None", "torch built for the CPU"),
        (1, "cuda: Optional[str] = '12.8'", None),
        (0, "cuda: Optional[str] = None\nhip: Optional[str] = '6.3'", None),
    ],
)
def test_what_keeps_torch_from_a_card(monkeypatch, cards, version, words):
    monkeypatch.setattr(preflight, "cuda_cards", lambda: cards)
    monkeypatch.setattr(preflight, "torch_version_file", lambda: version)
    found = preflight.why_no_cuda()
    assert found is None if words is None else words in (found or "")


def test_one_line_where_there_is_no_network(full, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "none"))
    monkeypatch.setattr(preflight, "why_no_cuda", lambda: None)
    wanted = {"crate": {"prompt": "a crate"}, "axe": {"prompt": "an axe"}}
    full.write_manifest({**wanted, "brick": {"kind": "material", "prompt": "bricks"}})
    with pytest.raises(InputError, match="found no network to fetch"):
        preflight.check(full.root / "configs/assets.yaml", "full")
    err = capsys.readouterr().err
    assert "image: sdxl-lightning-4 is not on this machine" in err
    assert "maps: marigold-normals is not on this machine" in err
    assert len(err.splitlines()) == len(set(err.splitlines()))


def test_the_embedded_profile_needs_neither(full):
    full.write_manifest({"crate": {"prompt": "a crate"}, "bad": {"promt": "x"}})
    manifest = preflight.check(full.root / "configs/assets.yaml", "embedded")
    assert list(manifest.assets) == ["crate"]
    assert list(manifest.problems) == ["bad"]
    code = "import sys, stages.preflight; sys.exit('torch' in sys.modules)"
    assert full.run(sys.executable, "-c", code).returncode == 0
