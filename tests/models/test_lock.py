"""The lock: what was fetched first holds until a person says otherwise."""

import pytest
import yaml

from assets3d.errors import InputError
from assets3d.models import ModelFiles
from assets3d.models.lock import Pin, check_pin, pin_of, read_lock, write_lock

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "net"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet/a.safetensors").write_bytes(b"a")
    (folder / "b.json").write_bytes(b"b")
    part = tmp_path / "part.safetensors"
    part.write_bytes(b"p")
    files = tuple(sorted(p for p in folder.rglob("*") if p.is_file()))
    return ModelFiles(
        "image", "net", "owner/net", folder, files, parts={"unet": part}, revision=COMMIT
    )


def test_round_trip(model, tmp_path):
    path = tmp_path / "models.lock.yaml"
    assert read_lock(path) == {}
    pins = {"net": pin_of(model, {"unet": COMMIT}), "bare": Pin({"x.onnx": "0" * 64})}
    write_lock(path, pins)
    assert read_lock(path) == pins
    assert set(pins["net"].files) == {"unet/a.safetensors", "b.json", "unet:part.safetensors"}
    again = path.read_bytes()
    write_lock(path, dict(reversed(pins.items())))
    assert path.read_bytes() == again  # the order of fetching leaves no trace
    assert [p.name for p in tmp_path.iterdir() if "lock" in p.name] == [path.name]


def test_the_first_difference_is_named(model):
    pin = pin_of(model)
    check_pin(model, pin, "image.model")
    files = dict(pin.files)
    for changed, words in (
        ({**files, "b.json": "0" * 64}, r"another b\.json \(3e23e8160039\) than the pinned"),
        ({**files, "c.json": "0" * 64}, r"net lacks c\.json, which is pinned"),
        ({k: v for k, v in files.items() if k != "b.json"}, r"b\.json, which is not pinned"),
    ):
        with pytest.raises(InputError, match=words) as error:
            check_pin(model, Pin(changed), "image.model")
        assert "`assets3d models fetch net`, or delete the entry net" in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        "- a list",
        "net: x",
        "net: {files: {}}",
        "net: {files: {a: short}}",
        f"net: {{revision: main, files: {{a: {'0' * 64}}}}}",
        f"net: {{parts: {{unet: v1}}, files: {{a: {'0' * 64}}}}}",
        f"net: {{parts: [x], files: {{a: {'0' * 64}}}}}",
        "net: {files: [",
    ],
)
def test_a_damaged_lock_is_refused(tmp_path, content):
    path = tmp_path / "models.lock.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"^models\.lock\.yaml: .*wanted") as error:
        read_lock(path)
    assert "\n" not in str(error.value)


def test_branches_are_no_revisions():
    from assets3d.models import read_entry

    with pytest.raises(InputError, match=r"net\.revision: found 'main', wanted a commit"):
        read_entry("net", {"source": "owner/net", "revision": "main"})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "found no source"),
        ({"source": "x/y", "licens": "MIT"}, r"licens: unknown field, did you mean licence\?"),
        ({"source": "x/y", "kind": "lorra"}, "kind: found 'lorra'"),
        ({"source": "x/y", "commercial": "yes"}, "wanted true/false/null"),
        ({"source": "x/y", "gpu_gb": "7 GB"}, "gpu_gb: found '7 GB'"),
        ({"source": "x/y", "files": "a.json"}, "wanted a list of file names"),
        ({"source": "x/y", "files": None}, "found None, wanted a list of file names"),
        ({"source": "x/y", "single_file": 5}, "single_file: found 5, wanted a list"),
        ({"source": "x/y", "parts": ["unet"]}, r"parts: found \['unet'\], wanted role"),
        ({"source": "x/y", "parts": {"unet": {"source": 5, "file": "a"}}}, "wanted a source owner"),
        ({"source": "x/y", "parts": {"unet": {"source": "x/y"}}}, "either file or folder"),
        ({"source": "x/y", "parts": {"unet": {"name": "x"}}}, "wanted source, file or folder"),
    ],
)
def test_a_wrong_entry_names_its_field(fields, words):
    from assets3d.models import read_entry

    with pytest.raises(InputError, match=words) as error:
        read_entry("net", fields)
    assert str(error.value).startswith("models.yaml: net")


def test_yaml_of_the_lock_is_plain(model, tmp_path):
    path = tmp_path / "models.lock.yaml"
    write_lock(path, {"net": pin_of(model)})
    content = yaml.safe_load(path.read_text())
    assert content["net"]["revision"] == COMMIT
    assert all(len(value) == 64 for value in content["net"]["files"].values())
