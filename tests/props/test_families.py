"""Laws that every family keeps: size, captions, determinism, closed meshes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from assets3d.cameras import four_views, orbit_cameras, project
from assets3d.props import (
    BENCHMARK_SEED_START,
    FAMILIES,
    HELD_OUT_FAMILIES,
    TRAINING_FAMILIES,
    prop_mesh,
    render_prop,
    sample_caption,
    sample_prop,
)
from assets3d.props.captions import NUMBERS, plural
from assets3d.props.materials import MATERIALS, PALETTE, albedo, nearest_colour
from assets3d.props.prop import LONG_SIDE, field_normal, surface_points

#: The fast tests take a few families of each module, the slow ones all.
SOME = tuple(FAMILIES)[::6]
REST = tuple(name for name in FAMILIES if name not in SOME[::3])


def test_catalogue():
    assert len(FAMILIES) >= 44
    assert len(TRAINING_FAMILIES) >= 40
    assert {"candle", "stool", "pumpkin", "bench", "owl", "pear"} == set(HELD_OUT_FAMILIES)
    assert not set(TRAINING_FAMILIES) & set(HELD_OUT_FAMILIES)
    assert {"mug", "barrel", "crate", "mushroom", "potion", "sword"} <= set(TRAINING_FAMILIES)
    assert BENCHMARK_SEED_START == 1_000_000
    nouns = [noun for family in FAMILIES.values() for noun in family.nouns]
    assert len(nouns) == len(set(nouns)), "two families share a name"
    with pytest.raises(KeyError):
        sample_prop("unicorn", 0)
    with pytest.raises(ValueError, match="seed"):
        sample_prop("mug", -1)


def test_docs_name_every_family_and_mark_the_held_out_ones():
    text = (Path(__file__).parents[2] / "docs" / "props.md").read_text(encoding="utf-8")
    rows = [line.split("|")[2] for line in text.splitlines() if line.startswith("| ")][1:]
    named = [name.strip() for row in rows for name in row.split(",")]
    assert sorted(name.strip("*") for name in named) == sorted(FAMILIES)
    assert {n.strip("*") for n in named if n.startswith("*")} == set(HELD_OUT_FAMILIES)


def test_import_loads_no_torch():
    code = "import sys, assets3d.props; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def check_frame(prop):
    """Assert that a prop is centred, of standard size and inside the frame from all sides."""
    points = surface_points(prop.distance, half_size=0.7)
    low, high = points.min(0), points.max(0)
    np.testing.assert_allclose((low + high) / 2, 0.0, atol=0.012)
    np.testing.assert_allclose((high - low) / 2, prop.half_size, atol=0.012)
    # A crystal's tip is a point that the measuring grid can miss by a little.
    assert 0.6 * LONG_SIDE < (high - low).max() < 1.02 * LONG_SIDE
    drawn = render_prop(prop, four_views(40))
    assert np.isfinite(drawn.depth).all()
    assert np.isfinite(drawn.normal).all()
    for alpha in drawn.rgba[..., 3] > 127:
        assert alpha.mean() > 0.012
        border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
        assert not border.any(), "the prop leaves the frame"
    hit = drawn.depth > 0
    np.testing.assert_allclose(np.linalg.norm(drawn.normal[hit], axis=-1), 1.0, atol=1e-3)
    assert drawn.rgba[..., 3][hit].min() > 0
    return points


def check_words(prop, points):
    """Assert that captions have the prop's words, and the main part the named colour."""
    main, words = prop.parts[0], prop.words
    first = "a" if words.count == 1 else NUMBERS[words.count]
    noun = prop.nouns[0] if words.count == 1 else plural(prop.nouns[0])
    assert noun in prop.caption
    if words.colour:
        assert words.colour in PALETTE
        assert words.colour in prop.caption
        assert nearest_colour(main.colour) == words.colour
        assert colour_share(prop, points, words.colour) > 0.25, prop.caption
    if words.material:
        assert MATERIALS[words.material].word in prop.caption
        assert main.material == words.material
    assert words.wear in prop.caption
    assert prop.caption.split()[0] in (first, f"{first}n")
    for part in prop.parts:
        assert {part.material, *(p.material or part.material for p in part.paint)} <= set(MATERIALS)
    rng = np.random.default_rng(prop.seed)
    for _ in range(8):
        caption = sample_caption(prop, rng)
        assert any(n in caption for n in (*prop.nouns, *map(plural, prop.nouns)))
        assert "  " not in caption
        assert len(caption.split()) < 28, "longer than the text encoder reads"
        if words.count == 1:
            assert (caption.split()[0] == "an") == (caption.split()[1][0] in "aeiou")
        else:
            assert caption.split()[0] == first


def colour_share(prop, points, name):
    """Return the part of the main part's seen surface whose own colour is the named one."""
    clean = replace(prop, words=replace(prop.words, wear=""))
    x, y, z = (torch.from_numpy(np.ascontiguousarray(c)).float() for c in points[::4].T)
    index = clean.nearest_part((x, y, z))
    normal = field_normal(clean.distance, (x, y, z), 1.5e-3)
    colours, _ = albedo(clean, (x, y, z), index, normal)
    step = len(prop.parts) // prop.words.count
    main = colours[index % step == 0].numpy()
    return np.mean([nearest_colour(tuple(c)) == name for c in main[::3]])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_prop_of_every_family(family):
    prop = sample_prop(family, 0)
    check_words(prop, check_frame(prop))
    low, high = FAMILIES[family].height_m
    assert 0.0 < low < high < 20.0
    assert low <= prop.height_m <= high


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_more_props_of_every_family(family):
    for seed in (1, 2, 3, 4, 5, BENCHMARK_SEED_START):
        prop = sample_prop(family, seed)
        check_words(prop, check_frame(prop))


@pytest.mark.parametrize("family", SOME)
def test_pure_function_of_family_and_seed(family):
    first, again, other = (sample_prop(family, seed) for seed in (5, 5, 6))
    assert first.caption == again.caption
    assert first.half_size == again.half_size
    pictures = [render_prop(p, four_views(32)[0]).rgba for p in (first, again, other)]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any()


#: A part that belongs to the front: lock, door, sails, eyes, lamps, cut face.
FRONTS = {
    "chest": 2,
    "house": 4,
    "tower": 1,
    "windmill": 2,
    "car": 3,
    "duck": 3,
    "slime": 1,
    "cat": 2,
    "owl": 3,
}


@pytest.mark.parametrize("family", FRONTS)
def test_the_front_faces_forward(family):
    """What a thing shows to people lies on its +Z side."""
    prop = next(p for p in (sample_prop(family, s) for s in range(9)) if p.words.count == 1)
    points = surface_points(prop.distance, half_size=0.7)
    x, y, z = (torch.from_numpy(np.ascontiguousarray(c)).float() for c in points.T)
    there = prop.nearest_part((x, y, z)) == FRONTS[family]
    assert bool(there.any())
    assert float(z[there].mean()) > 0.3 * prop.half_size[2]


@pytest.mark.parametrize(
    "family", [*SOME[::3], *(pytest.param(f, marks=pytest.mark.slow) for f in REST)]
)
def test_mesh_is_closed_and_agrees_with_the_picture(family):
    import trimesh

    prop = sample_prop(family, 2)
    mesh = prop_mesh(prop, resolution=72)  # a bow's string is thin
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert solid.volume > 0.0
    assert (np.abs(mesh.bounds) <= np.array(prop.half_size) + 0.03).all()
    assert mesh.colours.min() >= 0.0
    assert mesh.colours.max() <= 1.0
    facing = (solid.face_normals * mesh.normals[mesh.faces].mean(1)).sum(-1)
    # Between books as thin as a voxel, normals of the field and of the faces disagree.
    assert (facing > 0.0).mean() > 0.93
    # Every vertex lands on the silhouette, and no large part of the silhouette is without one.
    cameras = orbit_cameras([0.0, 120.0], [0.0, 25.0], 48)
    alpha = render_prop(prop, cameras).rgba[..., 3] > 0
    pixels, _ = project(cameras, np.concatenate([mesh.vertices, solid.triangles_center]))
    for view in range(2):
        drawn = np.zeros((48, 48), bool)
        column, row = np.clip(pixels[view].astype(int), 0, 47).T
        drawn[row, column] = True
        both, either = (alpha[view] & drawn).sum(), (alpha[view] | drawn).sum()
        assert both / either > 0.85
