"""The catalogue: every family by name, and the one way to draw a prop from it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from assets3d.props.captions import plain_caption
from assets3d.props.dice import Dice
from assets3d.props.families import (
    armoury,
    buildings,
    carriers,
    containers,
    creatures,
    fires,
    food,
    furniture,
    garden,
    household,
    minerals,
    plants,
    riches,
    tools,
    treasure,
    vehicles,
    vessels,
    weapons,
)
from assets3d.props.family import Family
from assets3d.props.groups import group
from assets3d.props.prop import Prop, measured
from assets3d.props.weathering import choose_wear

#: Seeds from here on are for benchmarks only; training stays below.
BENCHMARK_SEED_START = 1_000_000

FAMILIES: dict[str, Family] = {
    family.name: family
    for kind in (
        *(containers, vessels, weapons, tools, plants, minerals, treasure, household),
        *(armoury, fires, furniture, carriers, garden, food, riches),
        *(buildings, vehicles, creatures),
    )
    for family in kind.FAMILIES
}

#: How often a prop of a family with `grouped` is a group: about a twelfth of all props.
GROUP_CHANCE = 0.11

#: How often a prop is looked over for wear; not all have a material that takes some.
WEAR_CHANCE = 0.35

#: Families that no training command may see.
HELD_OUT_FAMILIES: tuple[str, ...] = tuple(f.name for f in FAMILIES.values() if f.held_out)

#: The families for training, in a fixed order.
TRAINING_FAMILIES: tuple[str, ...] = tuple(f.name for f in FAMILIES.values() if not f.held_out)


def sample_prop(family: str, seed: int) -> Prop:
    """Return the prop of a family and seed; the same pair always gives the same prop.

    Raises:
        KeyError: if the family is not in `FAMILIES`.
        ValueError: if the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"seed: found {seed}, wanted a whole number from 0 up")
    entry = FAMILIES[family]
    # The name enters through a hash, not Python's own, which differs between processes.
    name = int.from_bytes(hashlib.sha256(family.encode()).digest()[:8], "little")
    dice = Dice(np.random.default_rng([name, seed]))
    draft = entry.draft(dice)
    height_m = dice.between(*entry.height_m)
    low, high = entry.height_m
    size = {0: "small", 3: "big"}.get(int(4.0 * (height_m - low) / (high - low)), "")
    draft = replace(draft, words=replace(draft.words, size=size))
    if entry.grouped and dice.chance(GROUP_CHANCE):
        draft = group(draft, dice.pick([2, 2, 3]), dice) or draft
    prop, points = measured(draft, family, seed, entry.nouns, height_m)
    if dice.chance(WEAR_CHANCE):
        wear = choose_wear(prop, points, entry.outdoors, dice)
        prop = replace(prop, words=replace(prop.words, wear=wear))
    return replace(prop, caption=plain_caption(prop.words, entry.nouns[0]))
