"""models_dir: both layouts in use, by file name, in place."""

import pytest

from assets3d.errors import InputError
from assets3d.models import resolve, resolve_file
from assets3d.models.places import Places
from assets3d.models.trees import find_in_trees

COMFY = {
    "checkpoint": "checkpoints/sdxl/pony.safetensors",
    "lora": "loras/ink.safetensors",
    "vae": "vae/fix.safetensors",
    "controlnet": "controlnet/depth.safetensors",
    "ip_adapter": "ipadapter/plus.safetensors",
    "clip_vision": "clip_vision/vit_h.safetensors",
    "embedding": "embeddings/bad_hands.safetensors",
    "upscaler": "upscale_models/x4.safetensors",
}
WEBUI = {
    "checkpoint": "models/Stable-diffusion/pony.safetensors",
    "lora": "models/Lora/style/ink.safetensors",
    "vae": "models/VAE/fix.safetensors",
    "controlnet": "models/ControlNet/depth.safetensors",
    "embedding": "embeddings/bad_hands.safetensors",
    "upscaler": "models/ESRGAN/x4.safetensors",
}


def make(root, names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


@pytest.mark.parametrize(
    ("layout", "below", "given"),
    [
        (COMFY, "models", "models"),  # the tool's models folder
        (COMFY, "models", "."),  # the tool itself
        (WEBUI, ".", "."),
        (WEBUI, ".", "models"),  # embeddings lie beside models
    ],
)
def test_every_kind_is_found_by_its_name(tmp_path, layout, below, given):
    make(tmp_path / below, layout.values())
    tree = (tmp_path / given).resolve()
    for kind, place in layout.items():
        name = place.rpartition("/")[2]
        wanted = (tmp_path / below / place).resolve()
        for spelling in (name, name.removesuffix(".safetensors")):
            assert find_in_trees(kind, spelling, [tree], "x").resolve() == wanted
    assert find_in_trees("lora", "pony.safetensors", [tree], "x") is None


def test_two_of_one_name_need_a_subfolder(tmp_path):
    make(tmp_path, ["loras/a/ink.safetensors", "loras/b/ink.safetensors"])
    with pytest.raises(InputError, match=r"twice, loras/a/ink\.safetensors and loras/b/ink"):
        find_in_trees("lora", "ink", [tmp_path], "lora")
    assert find_in_trees("lora", "b/ink", [tmp_path], "lora").parent.name == "b"


def test_links_to_folders_elsewhere_are_followed_once(tmp_path):
    elsewhere = make(tmp_path / "disk", ["inks/ink.safetensors"])
    tree = make(tmp_path / "tree", ["loras/a.safetensors"])
    (tree / "loras/more").symlink_to(elsewhere)
    (tree / "loras/again").symlink_to(tree / "loras")  # a circle
    found = find_in_trees("lora", "ink", [tree], "lora")
    assert found is not None
    assert found.resolve() == elsewhere / "inks/ink.safetensors"
    assert find_in_trees("lora", "a", [tree], "lora") == tree / "loras/a.safetensors"


def test_the_first_tree_wins_and_pickles_are_refused(tmp_path):
    first, second = make(tmp_path / "1", ["loras/a.safetensors"]), tmp_path / "2"
    make(second, ["loras/a.safetensors", "loras/b.pt", "loras/a.ckpt"])
    found = find_in_trees("lora", "a", [first, second], "lora")
    assert found == first / "loras/a.safetensors"
    for name in ("b", "b.pt"):
        with pytest.raises(InputError, match=r"b\.pt is a pickle"):
            find_in_trees("lora", name, [second], "lora")
    assert find_in_trees("lora", "a", [second], "lora").suffix == ".safetensors"


def test_a_tree_that_is_no_folder(tmp_path):
    with pytest.raises(InputError, match=r"models_dir .* is no folder"):
        find_in_trees("lora", "a", [tmp_path / "none"], "lora")


REGISTRY = {
    "sdxl-turbo": {
        "step": "image",
        "source": "stab/turbo",
        "single_file": ["sd_xl_turbo.safetensors"],
        "licence": "no sale",
        "commercial": False,
    },
    "fast-lora": {
        "step": "image",
        "kind": "lora",
        "source": "owner/fast",
        "files": ["fast_4step.safetensors"],
        "commercial": True,
    },
}


@pytest.fixture
def places(tmp_path, hub):
    names = ["checkpoints/sd_xl_turbo.safetensors", "loras/fast_4step.safetensors"]
    return Places(trees=(make(tmp_path / "tree", [*names, "checkpoints/mine.safetensors"]),))


def test_registered_models_are_read_in_place(places, hub):
    tree = places.trees[0]
    turbo = resolve("image", "sdxl-turbo", REGISTRY, places=places)
    assert turbo.path == tree / "checkpoints/sd_xl_turbo.safetensors"
    assert (turbo.source, turbo.commercial, turbo.revision) == ("models_dir", "no", None)
    lora = resolve_file("lora", "fast-lora", REGISTRY, where="lora", places=places)
    assert lora.path == tree / "loras/fast_4step.safetensors"
    assert hub.asked == []


def test_an_adapter_in_a_shared_folder_needs_no_download(tmp_path, hub):
    parts = {"image_encoder": {"source": "owner/clip", "folder": "encoder"}}
    plus = {"step": "image", "kind": "ip_adapter", "source": "owner/ip", "parts": parts}
    registry = {"plus": {**plus, "files": ["models/plus_sd15.safetensors"]}}
    tree = make(tmp_path, ["ipadapter/plus_sd15.safetensors"])
    places = Places(trees=(tree,))
    found = resolve_file("ip_adapter", "plus", registry, where="ip", places=places)
    assert found.path == tree / "ipadapter/plus_sd15.safetensors"
    assert found.parts == {}
    assert hub.asked == []


def test_files_of_the_persons_own(places):
    mine = resolve("image", "mine", REGISTRY, places=places)
    assert mine.path.name == "mine.safetensors"
    assert (mine.commercial, mine.registered) == ("unverified", False)
    # A registered model does not lose its licence by being named as a file.
    named = resolve("image", "sd_xl_turbo.safetensors", REGISTRY, places=places)
    assert (named.commercial, named.registered) == ("no", True)
    by_path = resolve("image", str(named.path), REGISTRY)
    assert by_path.commercial == "no"
    with pytest.raises(InputError, match=r"did you mean mine\?"):
        resolve("image", "mime", REGISTRY, places=places)


def test_a_folder_or_file_stands_for_an_entry(tmp_path, places):
    folder = make(tmp_path / "own", ["unet/a.safetensors"])
    local = Places(local={"sdxl-turbo": folder})
    found = resolve("image", "sdxl-turbo", REGISTRY, places=local)
    assert (found.path, found.source, found.commercial) == (folder, "local", "no")
    with pytest.raises(InputError, match="wanted what local_models names"):
        resolve("image", "sdxl-turbo", REGISTRY, places=Places(local={"sdxl-turbo": folder / "x"}))


def test_kinds_are_kept_apart(places):
    with pytest.raises(InputError, match="fast-lora is a lora, wanted a checkpoint"):
        resolve("image", "fast-lora", REGISTRY, places=places)
    with pytest.raises(InputError, match="sdxl-turbo is a checkpoint, wanted a lora"):
        resolve_file("lora", "sdxl-turbo", REGISTRY, where="lora", places=places)
