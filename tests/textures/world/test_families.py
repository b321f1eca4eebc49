import importlib
import pkgutil

import numpy as np
import pytest

from assets3d.textures.world import families
from assets3d.textures.world.catalogue import (
    FAMILIES,
    HELD_OUT_FAMILIES,
    TRAINING_FAMILIES,
    sample_layers,
    sample_material,
)
from assets3d.textures.world.noise import grid

SEEDS = (0, 1, 2)


@pytest.mark.parametrize("name", FAMILIES)
def test_layers_are_finite_and_in_range(name):
    for seed in SEEDS:
        layers = sample_layers(name, seed, 64)
        assert layers.base_colour.shape == (64, 64, 3)
        for field in (layers.height, layers.roughness, layers.metallic):
            assert field.shape == (64, 64)
            assert np.isfinite(field).all()
        assert np.isfinite(layers.base_colour).all()
        # Deeper than a third of the tile is no relief but a hole.
        assert 0.001 < np.ptp(layers.height) < 0.35
        assert -0.02 <= layers.metallic.min() and layers.metallic.max() <= 1.02


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_seed_gives_the_same_bytes(name):
    first, second = sample_layers(name, 5, 48), sample_layers(name, 5, 48)
    assert first.words == second.words
    assert first.height.tobytes() == second.height.tobytes()
    assert first.base_colour.tobytes() == second.base_colour.tobytes()
    assert sample_layers(name, 6, 48).height.tobytes() != first.height.tobytes()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_layout_does_not_depend_on_the_size(name):
    for seed in SEEDS:
        small, large = sample_layers(name, seed, 128), sample_layers(name, seed, 256)
        assert small.words == large.words
        for few, many in (
            (small.height, large.height),
            (small.base_colour, large.base_colour),
        ):
            halved = many.reshape(128, 2, 128, 2, -1).mean(axis=(1, 3))
            few = few.reshape(128, 128, -1)
            assert np.corrcoef(few.ravel(), halved.ravel())[0, 1] > 0.88


@pytest.mark.parametrize("name", FAMILIES)
def test_families_repeat_exactly(name, monkeypatch):
    """Painted on coordinates one tile further, all is the same, but for lone rounded pixels."""
    here = sample_layers(name, 3, 64)

    def further(size_px):
        x, y = grid(size_px)
        return x + 1.0, y + 2.0

    for module in pkgutil.iter_modules(families.__path__):
        found = importlib.import_module(f"{families.__name__}.{module.name}")
        if hasattr(found, "grid"):
            monkeypatch.setattr(found, "grid", further)
    there = sample_layers(name, 3, 64)
    for one, other in (
        (here.height, there.height),
        (here.base_colour, there.base_colour),
        (here.roughness, there.roughness),
    ):
        assert np.mean(np.abs(one - other) > 1e-4) < 0.002


def test_brightness_does_not_tell_height():
    """Over seeds, bright is high about as often as bright is low."""
    means = []
    for name in TRAINING_FAMILIES:
        pairs = [sample_layers(name, seed, 48) for seed in range(20)]
        found = [np.corrcoef(p.base_colour.mean(-1).ravel(), p.height.ravel())[0, 1] for p in pairs]
        means.append(np.mean(found))
        assert abs(means[-1]) < 0.45, name
    assert abs(np.mean(means)) < 0.15


def test_most_families_have_relief():
    tilts = {}
    for name in FAMILIES:
        normals = [sample_material(name, seed, 192).normals for seed in range(4)]
        tilts[name] = np.mean([np.degrees(np.arccos(n[..., 2])).mean() for n in normals])
    # Polished tiles have next to none.
    assert all(3.0 < tilt < 40.0 for tilt in tilts.values()), tilts
    assert np.mean([tilt > 10.0 for tilt in tilts.values()]) > 0.7, tilts


def test_materials_have_plausible_values():
    for name in FAMILIES:
        material = sample_material(name, 1, 64)
        low, high = FAMILIES[name].tile_m
        assert low <= material.tile_m <= high
        assert material.tile_m == sample_material(name, 1, 32).tile_m
        assert abs(material.height_m.mean()) < 1e-4 * material.tile_m
        assert 0.13 < material.base_colour.min() and material.base_colour.max() < 0.94
        np.testing.assert_allclose(np.linalg.norm(material.normals, axis=2), 1.0, atol=1e-4)


def test_held_out_families_are_not_for_training():
    assert HELD_OUT_FAMILIES == ("roof_tiles", "leather")
    assert not set(HELD_OUT_FAMILIES) & set(TRAINING_FAMILIES)
    assert set(HELD_OUT_FAMILIES) | set(TRAINING_FAMILIES) == set(FAMILIES)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed"):
        sample_material("bricks", -1, 16)
