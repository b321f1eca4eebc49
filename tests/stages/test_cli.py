"""The verbs of `assets3d`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from assets3d.models import ModelFiles
from stages import _keys, _verbs, cli

ASSETS = {"crate": {"prompt": "a crate", "seed": 1}, "axe": {"prompt": "an axe", "seed": 2}}


@pytest.fixture
def here(project, monkeypatch):
    project.write_manifest(ASSETS)
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(_keys, "CODE_ROOT", project.root)
    return project


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def test_new_appends_one_line_and_keeps_the_rest(here, capsys):
    path = here.root / "configs/assets.yaml"
    path.write_text("# mine\ncrate: {prompt: a crate}  # keep\n")
    status, out, _ = run(capsys, "new", "red_mug", "--prompt", "a mug: red", "--height-m", "0.1")
    assert status == 0
    assert "red_mug" in out
    lines = path.read_text().splitlines()
    assert lines[:2] == ["# mine", "crate: {prompt: a crate}  # keep"]
    assert lines[2] == "red_mug: {prompt: 'a mug: red', height_m: 0.1}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("crate", "--prompt", "x"), "crate is taken"),
        (("../x", "--prompt", "x"), "id: found '../x'"),
        (("x", "--prompt", " "), "prompt: is empty"),
        (("x", "--prompt", "y", "--texture-px", "100"), "wanted a power of two"),
        (("x", "--prompt", "y", "--formats", "fbx"), "formats.1: found 'fbx'"),
        (("x", "--image", "inputs/none.jpg"), "image: found nothing at inputs/none.jpg"),
        (("x", "--image", "inputs"), "image: inputs is a folder, wanted a file"),
        (("x", "--views", "inputs/README.md"), "inputs/README.md is a file, wanted a folder"),
    ],
)
def test_new_refuses_what_the_manifest_would_refuse(here, capsys, arguments, words):
    before = (here.root / "configs/assets.yaml").read_text()
    status, _, err = run(capsys, "new", *arguments)
    assert status == 1
    assert words in err
    assert (here.root / "configs/assets.yaml").read_text() == before


def test_new_takes_every_field_of_a_prop_made_from_words(here, capsys):
    words = ("--prompt", "a mug", "--negative-prompt", "text", "--formats", "obj", "stl")
    assert run(capsys, "new", "mug", *words, "--up=-y", "--turn-deg", "90")[0] == 0
    line = (here.root / "configs/assets.yaml").read_text().splitlines()[-1]
    assert yaml.safe_load(line)["mug"] == {
        "prompt": "a mug",
        "negative_prompt": "text",
        "formats": ["obj", "stl"],
        "up": "-y",
        "turn_deg": 90.0,
    }


def all_stages(here, faults: str = "") -> dict[str, str]:
    """Run the export step too, which the fixture leaves out; return the last lines."""
    last = here.stages(faults=faults)
    done = here.run(
        *(sys.executable, "-m", "stages.export", "--manifest", "configs/assets.yaml"),
        *("--profile", "configs/profiles/standin.yaml", "--out", "runs/export", "--in"),
        *(f"runs/{step}" for step in last),
    )
    assert done.returncode == 0, done.stderr
    return {**last, "export": done.stderr.strip().splitlines()[-1]}


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert re.fullmatch(r"assets3d \d+\.\d+.*", capsys.readouterr().out.strip())


def test_open_without_a_browser_names_the_file(here, capsys, monkeypatch):
    assert run(capsys, "open")[0] == 1  # nothing built yet
    page = here.root / "runs/gallery/index.html"
    page.parent.mkdir()
    page.write_text("<html>")
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    status, out, _ = run(capsys, "open")
    assert status == 0
    assert out.strip() == f"no browser found, open this file: {page}"


def test_build_makes_one_asset_and_the_stages_reuse_it(here, capsys):
    status, out, err = run(capsys, "build", "axe")
    assert status == 0, err
    assert (here.root / "runs/build/axe/mesh/axe.glb").is_file()
    assert "runs/build/axe" in out
    assert run(capsys, "build", "axe")[2].count("reused") == 6
    last = all_stages(here)
    assert all(re.search(r"built 1, reused 1, failed 0", line) for line in last.values())


def test_shards_build_everything_once_and_touch_no_folder(here, capsys):
    assets = {f"prop_{i}": {"prompt": f"prop {i}", "seed": i} for i in range(5)}
    here.write_manifest(assets)
    built = []
    for part in ("1/2", "2/2"):
        status, _, err = run(capsys, "build", "--shard", part)
        assert status == 0, err
        built.append(int(re.search(r"mesh: built (\d+), reused 0, failed 0", err)[1]))
        assert [p.name for p in (here.root / "runs").iterdir()] == [".store"]
    assert built == [3, 2]
    assert "mesh: built 0, reused 3" in run(capsys, "build", "--shard", "1/2")[2]
    assert all("built 0, reused 5, failed 0" in line for line in here.stages().values())


def test_a_shard_says_what_failed_and_goes_on(here, capsys, monkeypatch):
    monkeypatch.setenv("ASSETS3D_STANDIN_FAULTS", "views/2=bad_input")
    status, _, err = run(capsys, "build", "--shard", "1/1")
    assert status == 1
    assert "axe: views: image: found nonsense" in err
    assert "mesh: built 1, reused 0, failed 0" in err
    for wrong in ("0/4", "5/4", "half"):
        with pytest.raises(SystemExit):
            cli.main(["build", "--shard", wrong])
        assert f"shard: found {wrong!r}, wanted I/N" in capsys.readouterr().err
    assert run(capsys, "build")[0] == 1
    assert run(capsys, "build", "axe", "--shard", "1/2")[0] == 1


def test_export_for_another_engine(here, capsys):
    here.write_manifest({**ASSETS, "anvil": {"prompt": "an anvil", "faces": "many"}})
    status, out, err = run(capsys, "export", "--only", "a*", "--profile", "unreal")
    assert status == 1
    assert "anvil: manifest: faces: found 'many'" in err
    assert out.splitlines() == [
        "1 of 2 assets failed",
        "deliver: export/assets-unreal: 1 assets, 1 changed",
    ]
    assert Path("export/assets-unreal/axe/axe.glb").is_file()
    assert not Path("export/assets-unreal/crate").exists()
    status, _, err = run(capsys, "export", "--only", "anv*")
    assert (status, "every asset that 'anv*' fits has a mistake in its entry" in err) == (1, True)
    assert "engine: found 'unrael'" in run(capsys, "export", "--engine", "unrael")[2]


def test_export_takes_what_was_pulled(here, capsys):
    """`dvc pull` fills the steps' folders and not the store."""
    all_stages(here)
    for folder in (".store", ".state"):
        shutil.rmtree(here.root / "runs" / folder)
    status, _, err = run(capsys, "export", "--only", "axe")
    assert (status, err.count("reused")) == (0, 6), err


def test_deliver_builds_nothing_and_asks_nothing_of_the_machine(here, capsys, monkeypatch):
    assert "found none, wanted it from `dvc pull`" in run(capsys, "deliver")[2]
    all_stages(here)
    for folder in (".store", ".state"):
        shutil.rmtree(here.root / "runs" / folder)
    shutil.rmtree(here.root / "runs/export/crate")
    (here.root / "configs/pipeline.yaml").write_text("profile: nobody_has_it\n")
    monkeypatch.setattr("stages._export_verb.build_items", None)
    status, out, err = run(capsys, "deliver", "--only", "axe")
    assert (status, err) == (0, "")
    assert out.splitlines() == ["deliver: export/assets: 1 assets, 1 changed"]
    assert Path("export/assets/axe/axe.glb").is_file()
    status, out, _ = run(capsys, "deliver")
    assert status == 1
    assert "crate: found no package in runs/export, wanted it from `dvc pull`" in out
    assert "found no asset that 'x*' fits" in run(capsys, "deliver", "--only", "x*")[2]
    assert not (here.root / "runs/.store").exists()


def test_build_says_what_failed(here, capsys, monkeypatch):
    monkeypatch.setenv("ASSETS3D_STANDIN_FAULTS", "views/2=bad_input")
    status, _, err = run(capsys, "build", "axe")
    assert status == 1
    assert "axe: views: image: found nonsense" in err
    assert run(capsys, "build", "nobody")[0] == 1


def test_explain_names_the_field_that_changed(here, capsys):
    assert (
        "crate: image: new; then cutout, views, splats, mesh, export" in run(capsys, "explain")[1]
    )
    all_stages(here)
    assert run(capsys, "explain")[1].strip() == "nothing to rebuild"
    changed = {"prompt": "an axe", "seed": 5, "height_m": 2}
    here.write_manifest({**ASSETS, "axe": changed})
    status, out, _ = run(capsys, "explain")
    assert status == 0
    assert out.splitlines() == [
        "axe: image: spec.seed: 2 -> 5; then cutout, views, splats, mesh, export"
    ]
    here.write_manifest({**ASSETS, "axe": {**ASSETS["axe"], "height_m": 2}})
    assert run(capsys, "explain")[1].strip() == "axe: mesh: spec.height_m: 1.0 -> 2.0; then export"
    assert run(capsys, "explain", "crate")[1].strip() == "nothing to rebuild"


def test_explain_is_silent_where_the_store_has_the_result(here, capsys):
    all_stages(here)
    for step in ("image", "mesh"):  # DVC removes a stage's folder before it runs it
        shutil.rmtree(here.root / "runs" / step)
    assert run(capsys, "explain")[1].strip() == "nothing to rebuild"


def test_explain_tells_failures_from_work_to_do(here, capsys):
    for fault, words in (("bad_input", "failed last time"), ("network", "will be tried again")):
        all_stages(here, faults=f"views/2={fault}")
        status, out, _ = run(capsys, "explain")
        assert (status, len(out.splitlines())) == (1 if fault == "bad_input" else 0, 1)
        assert f"axe: views: {words}: " in out
    here.write_manifest({**ASSETS, "bad": {"promt": "x"}})
    for arguments in (("explain",), ("explain", "bad")):
        status, out, _ = run(capsys, *arguments)
        assert status == 1
        assert "bad: manifest: promt: unknown field" in out


def test_explain_names_a_parameter_and_the_code(here, capsys):
    here.stages()
    profile = here.root / "configs/profiles/standin.yaml"
    profile.write_text(profile.read_text().replace("mesh: {", "mesh: {threads: 1, "))
    assert "crate: mesh: params.threads: null -> 1" in run(capsys, "explain")[1]
    code = here.root / "stages/mesh.py"
    code.write_text(code.read_text() + "# changed\n")
    assert "code: stages/mesh.py changed" in run(capsys, "explain")[1]


def test_show_tells_how_an_asset_was_made(here, capsys):
    run(capsys, "build", "axe")
    assert "runs/build/axe/mesh/axe.glb" in run(capsys, "show", "axe")[1]
    here.stages()
    out = run(capsys, "show", "axe")[1]
    assert '"prompt": "an axe"' in out
    assert "runs/mesh/axe/axe.glb" in out
    assert run(capsys, "show", "nobody")[0] == 1


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            {"source": "embedded", "revision": None, "commercial": "yes"},
            "model: embedded, MIT, may be sold",
        ),
        (
            {"source": "someone/net", "revision": "0123456789abcdef", "commercial": "no"},
            "model: net from someone/net @ 0123456789ab, MIT, must not be sold",
        ),
    ],
)
def test_show_names_the_models_of_a_record(here, capsys, model, words):
    here.stages()
    path = here.root / "runs/image/axe/record.json"
    record = json.loads(path.read_text())
    name = model["source"].rpartition("/")[2]
    record["models"] = {"model": {**model, "name": name, "licence": "MIT", "sha256": "0"}}
    path.unlink()  # not through the link into the store
    path.write_text(json.dumps(record))
    assert words in run(capsys, "show", "axe")[1]


def test_show_reads_what_a_model_writes_into_a_record(tmp_path):
    model = ModelFiles(
        *("image", "embedded", "embedded", tmp_path, ()), licence="MIT", commercial="yes"
    )
    record = model.record()
    assert _verbs._model_words(record) == "embedded, MIT, may be sold"


def test_gc_keeps_what_is_used(here, capsys):
    here.stages()
    here.write_manifest({"crate": ASSETS["crate"]})
    here.stages()
    dry = run(capsys, "gc", "--dry-run")[1]
    assert dry.count("would remove 1 of 2 items") == 5
    assert "dvc gc -w" in dry
    assert run(capsys, "gc")[1].count("removed 1 of 2 items") == 5
    assert run(capsys, "gc")[1].count("removed 0 of 1 items") == 5
    assert all("built 0, reused 1" in line for line in here.stages().values())


def test_gc_keeps_what_a_kill_left_without_its_folder(here, capsys):
    here.stages()
    shutil.rmtree(here.root / "runs/mesh")  # DVC had taken it, the stage had not begun
    assert "mesh: removed 0 of 2 items" in run(capsys, "gc")[1]
    assert "built 0, reused 2" in here.stages()["mesh"]


def test_whoever_reads_may_stop_reading():
    command = [sys.executable, "-m", "stages.cli", "props", "list"]
    with subprocess.Popen(
        command, cwd=_keys.CODE_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (141, b"")


def test_another_pipe_that_breaks_is_an_error(here, capsys, monkeypatch):
    def broken(project, options):
        raise BrokenPipeError(32, "the connection is gone")

    monkeypatch.setitem(cli._HANDLERS, "gc", broken)
    status, _, err = run(capsys, "gc")
    assert status == 1 and "the connection is gone" in err


def test_outside_of_a_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, "explain")
    assert status == 1
    assert "configs/pipeline.yaml" in err


def test_doctor_reports_and_starts_fast(here, capsys):
    out = run(capsys, "doctor")[1]
    assert "python: 3." in out
    assert "hard links" in out
    code = "import sys, stages.cli; sys.exit('torch' in sys.modules or 'dvc' in sys.modules)"
    assert here.run(sys.executable, "-c", code).returncode == 0
