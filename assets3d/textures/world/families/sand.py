"""Sand: rippled by wind or water, smooth or trodden."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.colours import Rgb, shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, fbm, grid
from assets3d.textures.world.scatter import Strewn, scattered_pieces, strewn
from assets3d.textures.world.shaping import mix, smoothstep
from assets3d.textures.world.waves import crest_phase, wave_field

_SANDS: dict[str, Rgb] = {
    "yellow": (0.76, 0.64, 0.44),
    "white": (0.84, 0.80, 0.73),
    "red": (0.64, 0.43, 0.31),
    "grey": (0.56, 0.53, 0.48),
    "brown": (0.58, 0.46, 0.34),
    "black": (0.27, 0.26, 0.26),
}


def sand(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint sand of one colour, dry or wet, rippled or smooth, sometimes with shells or pebbles."""
    dice = Dice(generator)
    x, y = grid(size_px)
    name = dice.pick(["yellow", "yellow", *_SANDS])
    kind = dice.pick(("rippled", "rippled", "smooth", "trodden"))
    wet = dice.chance(0.25)
    ripples = _ripples(size_px, x, y, dice)
    dunes = fbm(x, y, dice.whole(2, 3), 4, generator, gain=0.4)
    grains = fbm(x, y, 64, 4, generator, gain=1.0)
    height = 0.022 * dunes + dice.between(0.0006, 0.0011) * grains
    if kind == "rippled":
        height = height + ripples
    elif kind == "trodden":
        height = height + _dents(size_px, x, y, dice)
    colour = _sand_colour(x, y, _SANDS[name], grains, dice)
    roughness = 0.88 + 0.05 * fbm(x, y, 6, 4, generator)
    if wet:
        wetness = fbm(x, y, dice.whole(4, 6), 6, generator, gain=0.65)
        damp = smoothstep(-0.9, 0.7, wetness + dice.between(-0.1, 0.7))
        colour = colour * mix(1.0, dice.between(0.66, 0.8), damp)[..., None]
        roughness = roughness - 0.4 * damp
    words = [kind, "wet" if wet else "", name]
    if dice.chance(0.35):
        thing, height, colour = _with_things(size_px, height, colour, dice)
        words.append(thing)
    return Layers(colour, height, roughness, 0.0 * height, tuple(word for word in words if word))


def _ripples(size_px: int, x: Field, y: Field, dice: Dice) -> Field:
    """Return the height of ripples: gentle to windward, steep to lee, forked here and there."""
    count = dice.between(9.0, 22.0)
    turn = dice.between(0.0, np.pi)
    crests = count * np.cos(turn), count * np.sin(turn)
    field = wave_field(size_px, crests, (dice.between(0.8, 1.8),) * 2, dice.generator)
    phase = crest_phase(field, 0.1 * fbm(x, y, 6, 4, dice.generator))
    lee = dice.between(0.28, 0.4)
    rise, fall = phase / (1.0 - lee), (1.0 - phase) / lee
    sawtooth = np.minimum(rise, fall)
    crest = 0.5 * smoothstep(0.0, 1.0, sawtooth) + 0.5 * sawtooth**1.5
    # Ripples fade out where trains of them meet.
    strength = np.minimum(np.abs(field) * 1.6, 1.0) * (1.0 + 0.3 * fbm(x, y, 3, 3, dice.generator))
    return dice.between(0.14, 0.22) / count * crest * strength


def _dents(size_px: int, x: Field, y: Field, dice: Dice) -> Field:
    """Return the height of a beach full of old steps: soft hollows, one over another."""
    count = dice.whole(180, 300)
    steps = scattered_pieces(count, (0.05, 0.11), (0.5, 0.85), dice.generator)
    depth = dice.generator.uniform(0.5, 1.0, count).astype(np.float32)

    def hollow(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        return depth[k] * (1.0 - u * u - v * v) ** 2

    dents = strewn(size_px, steps, hollow)
    below = np.where(dents.covered, dents.height, 0.0)
    return -0.024 * below + 0.006 * fbm(x, y, 12, 5, dice.generator, gain=0.65)


def _sand_colour(x: Field, y: Field, base: Rgb, grains: Field, dice: Dice) -> Field:
    """Return (S, S, 3): broad drifts of lighter and darker minerals, and single dark grains."""
    generator = dice.generator
    light = shade(dice, base, 0.03)
    dark = np.multiply(shade(dice, light, 0.01), dice.between(0.78, 0.95))
    drifts = fbm(x, y, (dice.whole(3, 7), dice.whole(3, 7)), 5, generator, gain=0.7)
    colour = mix(light, dark, smoothstep(-0.9, 0.9, drifts))
    flecks = fbm(x, y, 96, 3, generator, gain=1.0)
    colour = colour * (1.0 + 0.10 * flecks + 0.05 * grains)[..., None]
    other = np.multiply(base, dice.pick((0.45, 1.25)))
    return mix(colour, other, dice.between(0.2, 0.7) * smoothstep(0.45, 0.8, flecks))


def _with_things(
    size_px: int, height: Field, colour: Field, dice: Dice
) -> tuple[str, Field, Field]:
    """Return the phrase, height and colour of sand with a few pebbles or shells on it."""
    generator = dice.generator
    thing = dice.pick(("with shells", "with pebbles"))
    count = dice.whole(12, 45)
    pieces = scattered_pieces(count, (0.006, 0.02), (0.6, 0.95), generator, smaller=2.0)
    ribs = generator.integers(7, 12, count).astype(np.float32)
    is_shell = thing == "with shells"

    def dome(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        value = np.sqrt(1.0 - u * u - v * v)
        if is_shell:
            fan = np.arctan2(v, u + 1.3)
            value = value * (0.85 + 0.15 * np.cos(4.0 * ribs[k] * fan))
        return 0.35 * pieces.half_width[k] * value

    seen: Strewn = strewn(size_px, pieces, dome)
    palette = ((0.85, 0.80, 0.72), (0.80, 0.66, 0.56), (0.66, 0.55, 0.50))
    if not is_shell:
        palette = ((0.42, 0.40, 0.38), (0.30, 0.29, 0.29), (0.62, 0.55, 0.47))
    own = np.array(palette, np.float32)[generator.integers(3, size=count)]
    own = own * generator.uniform(0.85, 1.1, (count, 1)).astype(np.float32)
    raised = np.where(seen.covered, seen.height, 0.0)
    return thing, height + raised, mix(colour, own[seen.index], seen.covered)


SAND = Family(
    "sand",
    sand,
    ("sand", "sand ground"),
    ("rippled", "smooth", "trodden", "wet", *_SANDS, "with shells", "with pebbles"),
    (0.6, 2.0),
)
