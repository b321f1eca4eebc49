"""What the stages do with models: the lock, the licence gate, shared folders, single files."""

from __future__ import annotations

import hashlib

import pytest
import yaml

from assets3d.errors import InputError
from assets3d.models import trees
from stages import _models, cli
from stages._harness import read_params
from tests.models.conftest import hub  # noqa: F401 (a fixture)

WEIGHTS = b"weights" * 100
REGISTRY = {
    "net": {
        "step": "image",
        "source": "owner/net",
        "files": ["model_index.json", "unet/net.safetensors"],
        "licence": "MIT",
        "commercial": True,
        "download_gb": 0.7,
    },
    "toy": {"step": "views", "source": "owner/toy", "licence": "NC", "commercial": False},
    "ink": {
        "step": "image",
        "kind": "lora",
        "source": "owner/ink",
        "files": ["ink.safetensors"],
        "commercial": False,
    },
    "cut": {"step": "cutout", "source": "rembg"},
}
FILES = {"model_index.json": b"{}", "unet/net.safetensors": WEIGHTS}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return an empty project with a registry of its own."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/models.yaml").write_text(yaml.safe_dump(REGISTRY))
    (tmp_path / "configs/pipeline.yaml").write_text("profile: full\n")
    monkeypatch.chdir(tmp_path)
    _forget()
    return tmp_path


def _forget():
    _models.find_model.cache_clear()
    _models._find_file.cache_clear()
    trees._listing.cache_clear()


def run(capsys, *arguments):
    status = cli.main(["models", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_fetch_pins_and_the_stages_enforce_it(here, hub, capsys):  # noqa: F811
    commit = hub.put("owner/net", FILES)
    status, out, _ = run(capsys, "fetch", "net")
    assert status == 0
    assert "net: MIT; commercial use: yes" in out
    assert f"net at {commit[:12]}: 2 files verified" in out
    lock = yaml.safe_load((here / "configs/models.lock.yaml").read_text())["net"]
    assert lock["revision"] == commit
    assert lock["files"]["unet/net.safetensors"] == hashlib.sha256(WEIGHTS).hexdigest()
    assert "here  pinned" in run(capsys, "list")[1]

    hub.asked.clear()
    hub.put("owner/net", {**FILES, "unet/net.safetensors": b"other"})  # the branch moves on
    found = _models.find_models({"model": "image"}, {"model": "net", "download": True})["model"]
    assert found.revision == commit
    assert hub.asked == []  # what is here needs no network

    _forget()
    lock["files"]["unet/net.safetensors"] = "0" * 64
    (here / "configs/models.lock.yaml").write_text(yaml.safe_dump({"net": lock}))
    with pytest.raises(InputError, match=r"another unet/net\.safetensors .* delete the entry net"):
        _models.find_model("image", "net")
    assert run(capsys, "fetch", "net")[0] == 1


def test_the_first_use_pins_too(here, hub):  # noqa: F811
    commit = hub.put("owner/net", FILES)
    with pytest.raises(InputError, match="wanted it fetched: `assets3d models fetch net`"):
        _models.find_model("image", "net")
    assert not (here / "configs/models.lock.yaml").exists()
    _models.find_model("image", "net", download=True)
    lock = yaml.safe_load((here / "configs/models.lock.yaml").read_text())
    assert lock["net"]["revision"] == commit


def test_a_repository_named_directly_is_used_as_it_was_fetched(here, hub, capsys):  # noqa: F811
    commit = hub.put("owner/other", FILES)
    assert run(capsys, "fetch", "owner/other")[0] == 0
    hub.put("owner/other", {**FILES, "unet/net.safetensors": b"newer"})
    hub.asked.clear()
    for download in (False, True):
        found = _models.find_model("image", "owner/other", download)
        assert (found.revision, found.source) == (commit, "hub")
    assert hub.asked == []


def test_a_file_in_models_dir_is_not_pinned_and_must_be_the_fetched_one(here, hub):  # noqa: F811
    (here / "shared/loras").mkdir(parents=True)
    (here / "shared/loras/ink.safetensors").write_bytes(b"i")
    (here / "configs/pipeline.yaml").write_text("models_dir: shared\n")
    assert _models.find_file("lora", "ink", {}).source == "models_dir"
    lock = here / "configs/models.lock.yaml"
    assert not lock.exists()  # another machine fetches it from the Hub
    for content, same in ((b"i", True), (b"j", False)):
        files = {"ink.safetensors": hashlib.sha256(content).hexdigest()}
        lock.write_text(yaml.safe_dump({"ink": {"revision": "0" * 40, "files": files}}))
        _forget()
        if same:
            _models.find_file("lora", "ink", {})
        else:
            with pytest.raises(InputError, match=r"ink has another ink\.safetensors"):
                _models.find_file("lora", "ink", {})


def test_a_commercial_profile_refuses(here, hub):  # noqa: F811
    hub.put("owner/toy", {"model_index.json": b"{}", "unet/a.safetensors": b"a"})
    hub.put("owner/ink", {"ink.safetensors": b"i"})
    params = {"model": "toy", "download": True}
    assert _models.find_models({"model": "views"}, params)["model"].commercial == "no"
    with pytest.raises(InputError, match=r"^views\.model: toy is not for commercial use"):
        _models.find_models({"model": "views"}, {**params, "commercial": True})
    steered = {"lora": "ink", "download": True}
    assert "lora" in _models.find_models({"lora": "image"}, steered)
    with pytest.raises(InputError, match=r"^image\.lora: ink is not for commercial use"):
        _models.find_models({"lora": "image"}, {**steered, "commercial": True})


@pytest.mark.parametrize(("role", "word"), [("model", "toy"), ("lora", "ink")])
def test_a_commercial_profile_refuses_before_it_fetches(here, hub, role, word):  # noqa: F811
    for download in (False, True):  # the hub has none of them: to ask it would be another error
        params = {role: word, "download": download, "commercial": True}
        with pytest.raises(InputError, match=f"{word} is not for commercial use"):
            _models.find_models({role: "image"}, params)


def test_the_profile_says_commercial_once(here):
    path = here / "profile.yaml"
    path.write_text("commercial: true\nviews: {model: net}\nmesh: {commercial: false}\n")
    assert read_params(path, "views") == {"commercial": True, "model": "net"}
    assert read_params(path, "mesh") == {"commercial": False}
    path.write_text("commercial: perhaps\nviews: {}\n")
    with pytest.raises(InputError, match="commercial is 'perhaps', wanted true or false"):
        read_params(path, "views")


def test_models_dir_and_local_models_of_the_settings(here, hub):  # noqa: F811
    own = here / "own"
    (here / "shared/loras").mkdir(parents=True)
    (here / "shared/loras/brush.safetensors").write_bytes(b"b")
    (own / "unet").mkdir(parents=True)
    (own / "unet/net.safetensors").write_bytes(b"mine")
    (here / "configs/pipeline.yaml").write_text("models_dir: shared\nlocal_models: {net: own}\n")
    assert _models.find_file("lora", "brush", {}).path.name == "brush.safetensors"
    found = _models.find_model("image", "net")
    assert (found.path.name, found.source) == ("own", "local")
    assert not (here / "configs/models.lock.yaml").exists()  # theirs, not ours to pin
    (here / "configs/pipeline.yaml").write_text("local_models: {cut: own}\n")
    _forget()
    with pytest.raises(InputError, match=r"cutout\.model: local_models names cut, .* REMBG_HOME"):
        _models.find_model("cutout", "cut")
    (here / "configs/pipeline.yaml").write_text("models_dir: 7\n")
    _forget()
    with pytest.raises(InputError, match="models_dir is 7, wanted a folder"):
        _models.find_model("image", "net")


def test_table_and_unknown_names(here, hub, capsys):  # noqa: F811
    status, out, _ = run(capsys, "table")
    assert status == 0
    assert "| `toy` | views | NC | **no** |" in out
    status, _, err = run(capsys, "fetch", "nett")
    assert status == 1
    assert "did you mean net?" in err


def test_a_damaged_registry_is_one_line(here, capsys):
    (here / "configs/models.yaml").write_text("net: [")
    status, _, err = run(capsys, "table")
    assert status == 1
    assert "models.yaml: is not YAML" in err
    assert len(err.strip().splitlines()) == 1
    (here / "configs/models.yaml").write_text("net: 3\n")
    assert "net holds no fields" in run(capsys, "table")[2]


def test_gates_are_no_part_of_an_items_key(project):
    project.write_manifest({"axe": {"prompt": "an axe"}})
    assert "built 1" in project.stage("image").stderr
    profile = project.root / "configs/profiles/standin.yaml"
    text = profile.read_text()
    assert "commercial: false" in text
    text = text.replace("commercial: false", "commercial: true")
    profile.write_text(text.replace("image: {", "image: {download: true, "))
    assert "built 0, reused 1" in project.stage("image").stderr


def test_fetch_without_names_brings_what_the_profile_names(here, hub, capsys):  # noqa: F811
    (here / "configs/profiles").mkdir()
    profile = {"image": {"model": "net", "lora": "ink"}, "views": {"model": "none"}}
    (here / "configs/profiles/full.yaml").write_text(yaml.safe_dump(profile))
    hub.put("owner/net", FILES)
    hub.put("owner/ink", {"ink.safetensors": b"i"})
    status, out, err = run(capsys, "fetch")
    assert status == 0, err
    fetched = {line.split(" ")[0] for line in out.splitlines() if "files verified" in line}
    assert fetched == {"net", "ink"}
    (here / "configs/profiles/full.yaml").write_text(
        "image: {family: sdxll}\nviews: {model: toy}\n"
    )
    status, _, err = run(capsys, "fetch")
    assert status == 1
    assert "image.family: found 'sdxll'" in err  # and not everything but the image model


@pytest.mark.slow
def test_an_artists_single_file_draws_in_the_image_stage(project):
    """models_dir, single file, tokenizer from a folder: offline, through the stage itself."""
    from tests.images.tiny import tiny_tokenizer
    from tests.images.tiny_single_files import (
        single_file_tensors,
        tiny_pipeline_for,
        write_single_file,
    )

    shared = project.root / "shared"
    tensors = single_file_tensors(tiny_pipeline_for("sdxl"), "sdxl")
    write_single_file(shared / "Stable-diffusion/mine.safetensors", tensors)
    tiny_tokenizer().save_pretrained(shared / "tokenizer")
    settings = project.root / "configs/pipeline.yaml"
    settings.write_text(settings.read_text() + "models_dir: shared\n")
    profile = {
        "commercial": True,
        "image": {
            "model": "mine",
            "tokenizer": "shared/tokenizer",
            "scheduler": "Euler",
            "steps": 2,
            "guidance": 3.0,
            "size_px": 32,
            "dtype": "float32",
            "device": "cpu",
        },
    }
    (project.root / "configs/profiles/standin.yaml").write_text(yaml.safe_dump(profile))
    project.write_manifest({"axe": {"prompt": "a red axe"}})
    done = project.stage("image")
    assert done.returncode == 0, done.stderr
    assert "built 1, reused 0, failed 0" in done.stderr
    record = (project.root / "runs/image/axe/record.json").read_text()
    assert '"name": "mine"' in record
    assert "mine is not known" in done.stderr  # its licence
    assert not (project.root / "configs/models.lock.yaml").exists()
