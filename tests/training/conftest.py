import numpy as np
import pytest

SIZE = 32


def write_split(folder, name, count, first_seed):
    """Discs of random colours, seen from five sides, in the format of training.data."""
    rng = np.random.default_rng(first_seed)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] + 0.5 - SIZE / 2
    rgba = np.zeros((count, 5, SIZE, SIZE, 4), np.uint8)
    for prop in range(count):
        inside = rows**2 + columns**2 < rng.uniform(6, 13) ** 2
        rgba[prop, :, inside] = [*rng.integers(30, 220, 3), 255]
    captions = [[f"a {word} disc"] * 9 for word in ("red", "blue", "green", "old") * count][:count]
    np.savez_compressed(
        folder / name,
        rgba=rgba,
        families=np.array(["disc"] * count),
        seeds=np.arange(first_seed, first_seed + count),
        captions=np.array(captions),
        orbit_deg=np.tile([30.0, 20.0], (count, 1)),
    )


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("props")
    write_split(folder, "shard_00000.npz", 8, 0)
    write_split(folder, "validation.npz", 4, 990_000)
    return folder


@pytest.fixture(scope="session")
def pictures(data, tmp_path_factory):
    """The same discs in the format of training.pictures, and stripes for tiles."""
    folder = tmp_path_factory.mktemp("pictures")
    stripes = np.zeros((4, SIZE, SIZE, 4), np.uint8)
    stripes[:, :, ::2], stripes[..., 3] = (200, 60, 60, 255), 255
    for split, name, first_seed in (
        ("training", "shard_00000.npz", 0),
        ("validation", "validation.npz", 990_000),
    ):
        with np.load(data / name) as file:
            fronts = {key: file[key] for key in ("captions", "families", "seeds")}
            np.savez(folder / f"{split}_props.npz", rgba=file["rgba"][:, 0], **fronts)
        np.savez(
            folder / f"{split}_tiles.npz",
            rgba=stripes,
            captions=np.array([["red bricks"] * 9] * 4),
            families=np.array(["bricks"] * 4),
            seeds=np.arange(first_seed, first_seed + 4),
        )
    return folder


@pytest.fixture(scope="session")
def vae(pictures, tmp_path_factory):
    """A barely trained autoencoder, trained in two goes."""
    from training.autoencoder import main

    folder = tmp_path_factory.mktemp("image")
    for steps in (1, 2):
        main([*options(pictures, folder / "out", steps), "--export", str(folder / "vae")])
    return folder / "vae"


@pytest.fixture(scope="session")
def picture_latents(pictures, vae, tmp_path_factory):
    from training.picture_latents import main

    folder = tmp_path_factory.mktemp("picture_latents")
    main(["--data", str(pictures), "--autoencoder", str(vae), "--out", str(folder)])
    return folder


@pytest.fixture(scope="session")
def latents(data, vae, tmp_path_factory):
    from training.latents import main

    folder = tmp_path_factory.mktemp("latents")
    main(["--data", str(data), "--autoencoder", str(vae), "--out", str(folder)])
    return folder


def options(data, out, steps):
    return ["--data", str(data), "--out", str(out), "--steps", str(steps), "--batch", "2"]
