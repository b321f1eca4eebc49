"""What captions say of wear, number and size is there to be seen; patterns are what they claim."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from assets3d.cameras import four_views
from assets3d.props import FAMILIES, render_prop, sample_caption, sample_prop
from assets3d.props.captions import plural
from assets3d.props.catalogue import GROUP_CHANCE
from assets3d.props.dice import Dice
from assets3d.props.groups import group
from assets3d.props.materials import MATERIALS, materials_taking
from assets3d.props.patterns import PATTERNS, Place, value_noise
from assets3d.props.prop import Draft, Paint, Part, Words, normalised, surface_points
from assets3d.props.sdf import box, half_space, sphere
from assets3d.props.wear import WEARS, shown
from assets3d.props.weathering import choose_wear, wear_shares


def _ball(material, colour=(0.6, 0.6, 0.6)):
    draft = Draft((Part(sphere(0.8), colour, material),), Words())
    return normalised(draft, "test", 3, ("ball",), 1.0)


def _points(count, seed=0):
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(3, count))
    direction /= np.linalg.norm(direction, axis=0)
    normal = tuple(torch.from_numpy(d).float() for d in direction)
    return tuple(n * 0.5 for n in normal), normal


def _front(prop):
    return render_prop(prop, four_views(64)[0], light="unlit").rgba[0]


def test_noise_is_smooth_bounded_and_has_no_tables():
    points, _ = _points(4000)
    points = tuple(p * 40.0 for p in points)
    noise = value_noise(points, 7)
    assert float(noise.abs().max()) <= 1.0
    assert abs(float(noise.mean())) < 0.05
    assert 0.2 < float(noise.std()) < 0.6
    moved = value_noise(tuple(p + 1e-3 for p in points), 7)
    assert float((moved - noise).abs().max()) < 0.02
    assert float((value_noise(points, 8) - noise).abs().mean()) > 0.2


@pytest.mark.parametrize("material", MATERIALS)
def test_patterns_vary_about_one(material):
    points, normal = _points(4000)
    factor, mix = PATTERNS[material](Place(points, normal, 1, 11))
    assert 0.75 < float(factor.mean()) < 1.15
    assert float(factor.min()) > 0.2
    assert (mix is None) == (MATERIALS[material].second is None)
    if mix is not None:
        assert 0.0 <= float(mix.min()) <= float(mix.max()) <= 1.0
    if material not in ("plain", "ceramic", "enamel"):
        shade = factor if mix is None else factor - mix
        assert float(shade.std()) > 0.025, "the pattern cannot be seen"


@pytest.mark.parametrize("wear", WEARS)
def test_wear_shows_where_its_material_is(wear):
    points, normal = _points(3000)
    there = shown(wear, points, normal, 3)
    assert 0.0 <= float(there.min()) <= float(there.max()) <= 1.0
    material = sorted(WEARS[wear].materials)[0]
    plain = _ball(material)
    dressed = normalised(
        Draft((Part(sphere(0.8), (0.6, 0.6, 0.6), material),), Words(wear=wear)),
        "test",
        3,
        ("ball",),
        1.0,
    )
    changed = np.abs(_front(dressed).astype(int) - _front(plain)).max(-1) > 12
    seen = _front(plain)[..., 3] > 127
    assert changed[seen].mean() > 0.8 * WEARS[wear].least
    other = next(m for m in ("glass", "silver") if m not in WEARS[wear].materials)
    untouched = normalised(
        Draft((Part(sphere(0.8), (0.6, 0.6, 0.6), other),), Words(wear=wear)), "t", 3, ("b",), 1.0
    )
    np.testing.assert_array_equal(_front(untouched), _front(_ball(other)))


def test_only_what_is_outdoors_gets_moss_and_no_wear_where_no_material_takes_it():
    wood = _ball("wood")
    points = surface_points(wood.distance, half_size=0.7)
    shares = wear_shares(wood, points)
    assert shares["rusty"] == (0.0, 0.0)
    assert shares["mossy"][0] == pytest.approx(1.0)
    found = {
        outdoors: {
            choose_wear(wood, points, outdoors, Dice(np.random.default_rng(k))) for k in range(20)
        }
        for outdoors in (False, True)
    }
    assert found[False] == {"old"}
    assert {"old", "mossy"} <= found[True]
    glass = _ball("glass")
    assert choose_wear(glass, points, True, Dice(np.random.default_rng(0))) == ""


def test_paint_decides_which_material_a_point_is_of():
    half = Paint(half_space((0, 1, 0), 0.0), (0.5, 0.5, 0.5), "iron")
    prop = normalised(
        Draft((Part(sphere(0.8), (0.6, 0.6, 0.6), "wood", (half,)),), Words()), "t", 0, ("b",), 1.0
    )
    points, _ = _points(500)
    index = torch.zeros(500, dtype=torch.int64)
    below = materials_taking(prop, points, index, {"iron"})
    np.testing.assert_array_equal(below.numpy(), (points[1] < 0.0).numpy())


@pytest.mark.parametrize("count", [2, 3])
def test_a_group_has_that_many_separate_things(count):
    parts = (Part(box(0.3, 0.5, 0.2), (0.8, 0.2, 0.2)), Part(sphere(0.35), (0.2, 0.2, 0.8)))
    for seed in range(2):
        draft = group(Draft(parts, Words("red")), count, Dice(np.random.default_rng(seed)))
        assert draft is not None
        assert draft.words.count == count
        assert len(draft.parts) == count * len(parts)
        prop = normalised(draft, "test", 0, ("thing",), 1.0)
        alpha = render_prop(prop, four_views(96)[0]).rgba[0, ..., 3] > 127
        assert ndimage.label(alpha)[1] == count
        # All stand on one ground.
        columns = ndimage.label(alpha)[0]
        feet = [np.nonzero((columns == k + 1).any(1))[0].max() for k in range(count)]
        assert max(feet) - min(feet) <= 3


def test_a_wide_thing_is_no_group():
    wide = Draft((Part(box(1.2, 0.3, 0.4), (0.5, 0.5, 0.5)),), Words())
    assert group(wide, 2, Dice(np.random.default_rng(0))) is None


def test_details_of_one_thing_are_not_said_of_several():
    from assets3d.props.captions import plain_caption

    words = Words("red", "", (), ("a lock", "iron bands"), count=2)
    assert plain_caption(words, "chest") == "two red chests with iron bands"
    worn = Words("", "iron", (), ("a yellow light",), wear="rusty")
    assert plain_caption(worn, "lantern") == "a rusty iron lantern with a yellow light"


def test_plurals():
    pairs = {
        "mug": "mugs",
        "torch": "torches",
        "treasure chest": "treasure chests",
        "box": "boxes",
        "loaf of bread": "loaves of bread",
        "bush": "bushes",
        "cactus": "cacti",
        "cherry": "cherries",
        "key": "keys",
        "fish": "fish",
    }
    assert {noun: plural(noun) for noun in pairs} == pairs


def test_size_words_follow_the_height():
    heights = {"small": [], "": [], "big": []}
    for seed in range(40):
        prop = sample_prop("gem", seed)
        heights[prop.words.size].append(prop.height_m)
    low, high = FAMILIES["gem"].height_m
    assert max(heights["small"]) <= low + 0.25 * (high - low) <= min(heights[""])
    assert max(heights[""]) <= low + 0.75 * (high - low) <= min(heights["big"])
    assert min(map(len, heights.values())) > 5
    small = next(sample_prop("gem", s) for s in range(40) if sample_prop("gem", s).words.size)
    rng = np.random.default_rng(0)
    said = [sample_caption(small, rng) for _ in range(40)]
    words = {"small": ("small", "little", "tiny"), "big": ("big", "large", "huge")}
    share = np.mean([any(w in c for w in words[small.words.size]) for c in said])
    assert 0.25 < share < 0.75


def test_worn_props_and_groups_of_the_catalogue_are_true_and_rare_enough():
    drawn = [sample_prop(name, seed) for name in ("key", "crate") for seed in range(45)]
    groups = [p for p in drawn if p.words.count > 1]
    assert 0.2 * GROUP_CHANCE < len(groups) / len(drawn) < 2.2 * GROUP_CHANCE
    for prop in groups[:2]:
        alpha = render_prop(prop, four_views(96)[0]).rgba[0, ..., 3] > 127
        pieces = ndimage.label(alpha)[0]
        large = (np.bincount(pieces[pieces > 0]) > 8).sum()
        assert large == prop.words.count, prop.caption
    worn = [p for p in drawn if p.words.wear]
    assert 0.05 < len(worn) / len(drawn) < 0.4
    for prop in worn[:4]:
        points = surface_points(prop.distance, half_size=0.7)
        taken, seen = wear_shares(prop, points)[prop.words.wear]
        assert taken >= 0.9 * WEARS[prop.words.wear].share, prop.caption
        assert seen >= 0.8 * WEARS[prop.words.wear].least, prop.caption
