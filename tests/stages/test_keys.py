"""A key changes when, and only when, something that the step reads changes."""

from __future__ import annotations

import pytest

from stages import _keys
from stages._plan import make_plan
from stages._step import ITEM_STEPS, find_step
from stages.specs import MaterialSpec, MotionSpec, PropSpec

PARAMS = {"model": "standin", "files": 5, "threads": 2}


@pytest.fixture
def key(tmp_path):
    for step, name in (
        ("image", "image.png"),
        ("cutout", "cutout.png"),
        ("views", "view_000.png"),
        ("views", "transforms.json"),
        ("splats", "splats.ply"),
        ("texture", "texture.png"),
        ("texture", "source.json"),
        *((step, "record.json") for step in ("image", "cutout", "views", "splats", "mesh")),
    ):
        (tmp_path / step).mkdir(exist_ok=True)
        (tmp_path / step / name).write_text(name)

    def make(step_name: str, params=None, **fields) -> str:
        if step_name == "motion":
            spec = MotionSpec(**{"kind": "motion", "script": ({"walk": "3 s"},), **fields})
        elif step_name in ("texture", "maps"):
            spec = MaterialSpec(**{"kind": "material", "prompt": "rock", **fields})
        else:
            fields = {"candidates": 2, **fields} if step_name == "choose" else fields
            spec = PropSpec(**{"prompt": "a crate", "seed": 1, **fields})
        assets = {"asset": spec}
        plan = make_plan(
            find_step(step_name), params or PARAMS, assets, lambda before, _: tmp_path / before
        )
        assert not plan.failures, plan.failures
        return plan.work[0].key

    return make


FIELDS = {
    "prompt": "a barrel",
    "negative_prompt": "text",
    "seed": 2,
    "height_m": 2.0,
    "faces": 200,
    "texture_px": 64,
    "formats": ("obj",),
    "up": "-y",
    "pack": "village",
    "licence": "CC-BY-4.0",
    "lods": 1,
    "hull": "none",
}
READ = {
    "image": {"prompt", "negative_prompt", "seed"},
    "cutout": set(),
    "views": {"prompt", "seed"},
    "splats": {"seed", "up"},
    "mesh": {"prompt", "height_m", "faces", "texture_px", "formats"},
    # Through the mesh's record it changes with everything else; where it is delivered is no part.
    "export": {"prompt", "seed", "licence", "lods", "hull"},
}


@pytest.mark.parametrize("step", READ)
@pytest.mark.parametrize("field", FIELDS)
def test_fields_of_props(key, step, field):
    changed = key(step) != key(step, **{field: FIELDS[field]})
    assert changed == (field in READ[step])


@pytest.mark.parametrize("step", READ)
def test_the_first_candidate_is_the_entry_without_any(key, tmp_path, step):
    (tmp_path / "choose").mkdir()
    chosen = tmp_path / "choose/record.json"
    chosen.write_text('{"numbers": {"chosen": 1}}')
    plain = key(step)
    if step != "export":  # the package tells what it was chosen from
        assert key(step, candidates=4) == key(step, candidates=4, pin=1) == plain
    else:
        assert key(step, candidates=4) == key(step, candidates=5) != plain
        chosen.write_text('{"numbers": {"chosen": 1, "candidates": 5}}')
        assert key(step, candidates=4) != key(step)


def test_a_choice_reads_what_all_candidates_are(key, tmp_path):
    before = key("choose")
    assert key("choose", pin=1) != before != key("choose", candidates=3)
    (tmp_path / "splats/spin.webp").write_text("prettier")
    assert key("choose") == before
    (tmp_path / "splats/splats.ply").write_text("other splats")
    assert key("choose") != before


@pytest.mark.parametrize(
    ("field", "value", "reads"),
    [
        ("script", ({"trot": "3 s"},), True),
        ("fps", 30, True),
        ("root", "in_place", True),
        ("lock_feet", False, True),
        ("bvh_unit", "m", True),
        ("seed", 5, True),
    ],
)
def test_fields_of_motion(key, field, value, reads):
    assert (key("motion") != key("motion", **{field: value})) == reads


@pytest.mark.parametrize(
    ("field", "value", "reads"),
    [
        ("prompt", "sand", {"texture"}),
        ("seed", 5, {"texture", "maps"}),
        ("mode", "circular", {"texture"}),
        ("size_px", 512, {"texture", "maps"}),
        ("tile_m", 2.0, {"maps"}),
        ("height_m", 0.1, {"maps"}),
        ("light_deg", 180.0, {"maps"}),
        ("packs", ("unreal",), {"maps"}),
    ],
)
def test_fields_of_materials(key, field, value, reads):
    changed = {step for step in ("texture", "maps") if key(step) != key(step, **{field: value})}
    assert changed == reads


def test_every_file_of_a_folder_counts(key, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "Xmean.bin").write_bytes(b"1")
    before = key("motion", weights=str(folder))
    assert before != key("motion")
    (folder / "Xstd.bin").write_bytes(b"1")
    assert key("motion", weights=str(folder)) != before


@pytest.mark.parametrize("step", ITEM_STEPS)
def test_every_parameter_counts_threads_too(key, step):
    assert key(step) != key(step, {**PARAMS, "threads": 1})
    assert key(step) != key(step, {**PARAMS, "new": 1})
    assert key(step) == key(step, dict(reversed(PARAMS.items())))


def test_only_the_files_that_a_step_reads_count(key, tmp_path):
    before = key("mesh")
    (tmp_path / "splats/spin.webp").write_text("prettier")
    (tmp_path / "splats/record.json").write_text("{}")
    assert key("mesh") == before
    (tmp_path / "splats/splats.ply").write_text("other splats")
    assert key("mesh") != before


def test_library_versions_and_code_count(key, monkeypatch):
    before = key("image")
    monkeypatch.setattr(_keys, "versions", lambda: {"torch": "0.1"})
    other_version = key("image")
    assert other_version != before
    monkeypatch.setattr(_keys, "code_hashes", lambda modules: {"a.py": "b"})
    assert key("image") != other_version


def test_a_photograph_counts_by_content_not_by_name(tmp_path):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    first.write_bytes(b"same")
    second.write_bytes(b"same")
    step = find_step("cutout")

    def key(path):
        assets = {"mug": PropSpec(image=str(path))}
        return make_plan(step, PARAMS, assets, lambda *_: tmp_path).work[0].key

    assert key(first) == key(second)
    second.write_bytes(b"other")
    assert key(first) != key(second)


def test_code_hashes_follow_imports(tmp_path, monkeypatch):
    monkeypatch.setattr(_keys, "CODE_ROOT", tmp_path)
    package = tmp_path / "assets3d"
    (package / "deep").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "top.py": "def f():\n    from assets3d.deep import leaf\n",
        "other.py": "import os\n",
        "deep/__init__.py": "",
        "deep/leaf.py": "from .. import errors\nfrom . import sibling\n",
        "deep/sibling.py": "",
        "errors.py": "",
    }.items():
        (package / name).write_text(text)
    found = _keys.code_hashes(["assets3d.top"])
    assert set(found) == {
        "assets3d/__init__.py",
        "assets3d/top.py",
        "assets3d/errors.py",
        "assets3d/deep/__init__.py",
        "assets3d/deep/leaf.py",
        "assets3d/deep/sibling.py",
    }


def test_every_declared_module_exists():
    for name in ITEM_STEPS:
        step = find_step(name)
        for module in step.modules:
            assert _keys._module_path(module) is not None, f"{name}: {module}"
