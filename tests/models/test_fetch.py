"""Fetching: commit, hashes, resumption, and what a Hub can do wrong."""

import hashlib
import re

import pytest

from assets3d.errors import InputError, PassingError
from assets3d.models import read_entry
from assets3d.models.fetch import fetch

WEIGHTS = bytes(range(256)) * 40
FILES = {
    "model_index.json": b"{}",
    "unet/config.json": b'{"a": 1}',
    "unet/net.fp16.safetensors": WEIGHTS,
    "unet/net.safetensors": WEIGHTS * 2,
    "README.md": b"# not needed",
}
ENTRY = {
    "step": "image",
    "source": "owner/net",
    "files": ["model_index.json", "unet/config.json", "unet/net.fp16.safetensors"],
    "licence": "Apache-2.0",
    "commercial": True,
}


def entry(**changes):
    return read_entry("net", {**ENTRY, **changes})


def test_the_first_fetch_says_commit_and_hashes(hub):
    commit = hub.put("owner/net", FILES)
    model, pin = fetch(entry(), None)
    assert pin.revision == model.revision == commit
    assert re.fullmatch(r"[0-9a-f]{40}", commit)
    assert pin.files == {name: hashlib.sha256(FILES[name]).hexdigest() for name in ENTRY["files"]}
    assert (model.path / "unet/net.fp16.safetensors").read_bytes() == WEIGHTS
    assert not (model.path / "unet/net.safetensors").exists()  # not asked for


def test_the_pinned_commit_is_fetched_though_the_branch_moved(hub):
    hub.put("owner/net", FILES)
    _, pin = fetch(entry(), None)
    hub.put("owner/net", {**FILES, "unet/config.json": b'{"a": 2}'})
    assert fetch(entry(), pin)[1] == pin
    moved = {**pin.files, "unet/config.json": "0" * 64}
    with pytest.raises(InputError, match=r"another unet/config\.json .* delete the entry net"):
        fetch(entry(), type(pin)(moved, pin.revision))


def test_parts_come_from_their_own_repositories(hub):
    parts = {
        "unet": {"source": "other/unet", "file": "fast.safetensors"},
        "image_encoder": {"source": "other/clip", "folder": "models/encoder"},
    }
    hub.put("owner/net", FILES)
    commits = {
        "unet": hub.put("other/unet", {"fast.safetensors": b"fast"}),
        "image_encoder": hub.put(
            "other/clip",
            {"models/encoder/config.json": b"{}", "models/encoder/model.safetensors": b"clip"},
        ),
    }
    model, pin = fetch(entry(parts=parts), None)
    assert pin.parts == commits
    assert model.parts["unet"].read_bytes() == b"fast"
    assert (model.parts["image_encoder"] / "model.safetensors").read_bytes() == b"clip"
    assert pin.files["image_encoder:model.safetensors"] == hashlib.sha256(b"clip").hexdigest()


def test_what_is_here_costs_no_network_call(hub):
    from assets3d.models import resolve

    hub.put("owner/net", FILES)
    _, pin = fetch(entry(), None)
    hub.asked.clear()
    registry = {"net": entry(revision=pin.revision)}
    assert resolve("image", "net", registry, download=True).sha256s == pin.files
    assert hub.asked == []


def test_a_broken_download_is_taken_up_where_it_stopped(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    hub.put("owner/net", FILES)
    hub.cut_after["unet/net.fp16.safetensors"] = 4000
    model, _ = fetch(entry(), None)  # the client tries again by itself
    spans = [span for path, span in hub.downloads() if path.endswith("fp16.safetensors")]
    assert len(spans) == 2
    assert re.fullmatch(r"bytes=4000-\d*", spans[1])
    assert (model.path / "unet/net.fp16.safetensors").read_bytes() == WEIGHTS


def test_an_interrupted_fetch_is_not_taken_for_a_whole_one(hub, monkeypatch):
    from huggingface_hub import file_download

    from assets3d.models import resolve

    whole = file_download.http_get

    def interrupted(*arguments, **options):
        if arguments[0].endswith("fp16.safetensors"):
            raise KeyboardInterrupt
        return whole(*arguments, **options)

    commit = hub.put("owner/net", FILES)
    monkeypatch.setattr(file_download, "http_get", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(entry(), None)
    monkeypatch.setattr(file_download, "http_get", whole)
    for revision in (None, commit):
        with pytest.raises(InputError, match="is not on this machine, wanted it fetched"):
            resolve("image", "net", {"net": entry(revision=revision)})
    model, _ = fetch(entry(), None)
    assert (model.path / "unet/net.fp16.safetensors").read_bytes() == WEIGHTS


def test_a_download_at_first_use_is_verified_too(hub):
    from assets3d.models import resolve

    hub.put("owner/net", FILES)
    hub.garbled.add("unet/net.fp16.safetensors")
    with pytest.raises(PassingError, match=r"image\.model: .* damaged .*models fetch net --force"):
        resolve("image", "net", {"net": entry()}, download=True)


def test_damage_on_the_way_is_found_and_force_repairs_it(hub):
    hub.put("owner/net", FILES)
    hub.garbled.add("unet/net.fp16.safetensors")
    with pytest.raises(PassingError, match=r"fp16\.safetensors is damaged .* --force"):
        fetch(entry(), None)
    hub.garbled.clear()
    with pytest.raises(PassingError, match="is damaged"):
        fetch(entry(), None)  # still the damaged one
    model, _ = fetch(entry(), None, force=True)
    assert (model.path / "unet/net.fp16.safetensors").read_bytes() == WEIGHTS


def test_what_the_hub_lacks_is_named(hub):
    with pytest.raises(InputError, match="owner/net is not on the Hub"):
        fetch(entry(), None)
    hub.put("owner/net", {"model_index.json": b"{}"})
    with pytest.raises(InputError, match=r"owner/net has no unet/config\.json, wanted `files`"):
        fetch(entry(), None)
    with pytest.raises(InputError, match="owner/net is not on the Hub"):
        fetch(entry(revision="0" * 40), None)
    hub.gated.add("owner/net")
    with pytest.raises(InputError, match="gated, wanted its licence accepted"):
        fetch(entry(), None)


@pytest.mark.parametrize("files", [None, ["model_index.json", "*/*.json", "*/*.safetensors"]])
def test_a_checkpoint_that_is_only_a_pickle_is_refused(hub, files):
    weights = {"unet/config.json": b"{}", "unet/net.fp16.bin": b"PK", "model_index.json": b"{}"}
    hub.put("owner/net", weights)
    wanted = {} if files is None else {"files": files}
    with pytest.raises(InputError, match=r"only as a pickle \(unet/net\.fp16\.bin\).*sandbox"):
        fetch(entry(**wanted), None)
    assert not any(path.endswith(".bin") for path, _ in hub.downloads())


def test_a_hub_that_cannot_be_reached_is_a_passing_error(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PassingError, match=r"owner/net could not be fetched") as error:
        fetch(entry(), None)
    assert "\n" not in str(error.value)


def test_no_room_is_said_before_anything_is_fetched(hub, monkeypatch):
    hub.put("owner/net", FILES)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10**6}))
    with pytest.raises(PassingError, match=r"0\.0 GB are free .* wanted 0\.5 GB"):
        fetch(entry(), None)
    assert not any("resolve" in path for path, _ in hub.downloads())


def test_what_is_here_needs_no_room(hub, monkeypatch):
    hub.put("owner/net", FILES)
    _, pin = fetch(entry(), None)
    free = 512 * 2**20 + 1  # what stays free in any case
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": free}))
    assert fetch(entry(), pin)[1] == pin
    with pytest.raises(PassingError, match="are free"):
        fetch(entry(), pin, force=True)


def test_embedded_models_are_not_fetched():
    with pytest.raises(InputError, match="is embedded"):
        fetch(read_entry("embedded", {"source": "embedded"}), None)
