"""Snow and ice: drifts, crusts, footprints; frozen water full of cracks and bubbles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.textures.world.colours import shade
from assets3d.textures.world.dice import Dice
from assets3d.textures.world.family import Family
from assets3d.textures.world.lattices import jittered_points
from assets3d.textures.world.layers import Layers
from assets3d.textures.world.noise import Field, cellular, fbm, grid, warped
from assets3d.textures.world.scatter import pushed_apart, scattered_pieces, strewn
from assets3d.textures.world.shaping import mix, smoothstep
from assets3d.textures.world.voronoi import stones
from assets3d.textures.world.waves import crest_phase, wave_field

_ICES = {
    "blue": ((0.42, 0.60, 0.72), (0.28, 0.46, 0.60)),
    "grey": ((0.58, 0.64, 0.67), (0.44, 0.50, 0.54)),
    "green": ((0.46, 0.64, 0.64), (0.32, 0.50, 0.50)),
    "dark": ((0.24, 0.30, 0.34), (0.16, 0.20, 0.23)),
}
_GRITS = ((0.36, 0.32, 0.28), (0.50, 0.45, 0.38), (0.30, 0.31, 0.33))


def snow(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint snow: soft, blown by wind, crusted or trodden; clean or dirty."""
    dice = Dice(generator)
    x, y = grid(size_px)
    kind = dice.pick(("soft", "windblown", "crusted", "trodden"))
    flakes = fbm(x, y, 56, 3, generator, gain=0.9)
    height = 0.03 * fbm(x, y, dice.whole(2, 4), 3, generator, gain=0.4)
    height = height + dice.between(0.0008, 0.0016) * flakes
    if kind == "soft":
        height = height + 0.014 * fbm(x, y, dice.whole(7, 12), 4, generator, gain=0.5)
    elif kind == "windblown":
        height = height + _drifts(size_px, x, y, dice)
    elif kind == "crusted":
        height = height + _crust(x, y, dice)
    else:
        height = height + _steps(size_px, x, y, dice)
    white = shade(dice, (0.85, 0.86, 0.88), 0.01)
    bluish = np.multiply(white, (0.93, 0.96, 1.0))
    colour = mix(white, bluish, smoothstep(-0.5, 0.5, fbm(x, y, 4, 5, generator)))
    colour = colour * (1.0 + 0.02 * flakes)[..., None]
    roughness = 0.75 + 0.1 * flakes
    words = [kind]
    if dice.chance(0.35):
        grit = fbm(x, y, dice.whole(4, 7), 7, generator, gain=0.85)
        share = smoothstep(0.1, 0.75, grit) * dice.between(0.3, 0.9)
        colour = mix(colour, shade(dice, dice.pick(_GRITS), 0.03), share)
        words = ["dirty", *words]
    return Layers(colour, height, roughness, 0.0 * height, tuple(words))


def _drifts(size_px: int, x: Field, y: Field, dice: Dice) -> Field:
    """Return the height of sastrugi: sharp ridges that the wind cut, long in its direction."""
    generator = dice.generator
    turn, count = dice.between(0.0, np.pi), dice.between(5.0, 9.0)
    field = wave_field(
        size_px, (count * np.cos(turn), count * np.sin(turn)), (2.2, 2.2), generator, 40
    )
    phase = crest_phase(field, 0.15 * fbm(x, y, 5, 5, generator, gain=0.6))
    steep = dice.between(0.15, 0.3)
    edge = np.minimum(phase / (1.0 - steep), (1.0 - phase) / steep)
    return dice.between(0.10, 0.17) / count * edge * np.minimum(np.abs(field) * 1.5, 1.0)


def _crust(x: Field, y: Field, dice: Dice) -> Field:
    """Return the height of a frozen crust that broke into plates here and there."""
    generator = dice.generator
    rough = fbm(x, y, dice.whole(9, 14), 6, generator, gain=0.65)
    plates = smoothstep(-0.05, 0.08, fbm(x, y, dice.whole(4, 6), 6, generator, gain=0.5))
    return 0.010 * plates + 0.011 * rough * (1.0 - 0.7 * plates)


def _steps(size_px: int, x: Field, y: Field, dice: Dice) -> Field:
    """Return the height of snow with many old prints, half blown over, and their raised rims."""
    generator = dice.generator
    count = dice.whole(30, 70)
    prints = scattered_pieces(count, (0.08, 0.115), (0.5, 0.62), generator)
    pressed = generator.uniform(0.45, 1.0, count).astype(np.float32)

    def radius(u: Field, v: Field) -> Field:
        # Narrower at the instep, between ball and heel.
        return np.sqrt(u * u + v * v * (1.0 + 0.9 * np.exp(-(((u + 0.2) / 0.3) ** 2))))

    def sole(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        return pressed[k] * smoothstep(0.78, 0.38, radius(u, v))

    def rim(u: Field, v: Field, k: NDArray[np.integer]) -> Field:
        return pressed[k] * np.maximum(1.0 - ((radius(u, v) - 0.82) / 0.18) ** 2, 0.0)

    prints = pushed_apart(prints)
    # Both fade out where a print ends, so that prints may overlap without steps.
    depth, raised = (np.maximum(strewn(size_px, prints, f).height, 0.0) for f in (sole, rim))
    lumps = fbm(x, y, 10, 6, generator, gain=0.6)
    relief = 0.2 * raised * (1.0 - depth) - depth
    return dice.between(0.022, 0.034) * relief + 0.008 * lumps * (1.0 - 0.6 * depth)


def ice(size_px: int, generator: np.random.Generator) -> Layers:
    """Paint the ice of a lake: nearly flat; cracks, bubbles and clouds lie inside of it."""
    dice = Dice(generator)
    x, y = grid(size_px)
    name = dice.pick(list(_ICES))
    light, deep = (shade(dice, tone, 0.03) for tone in _ICES[name])
    clouds = fbm(x, y, dice.whole(3, 5), 6, generator, gain=0.6)
    colour = mix(deep, light, smoothstep(-0.7, 0.7, clouds))
    milky = np.array((0.80, 0.86, 0.89), np.float32)
    height = 0.010 * fbm(x, y, dice.whole(2, 4), 4, generator)
    height = height + 0.0012 * fbm(x, y, 16, 4, generator, gain=0.7)
    for columns, width in ((2, 0.006), (5, 0.003)):
        line, level = _fractures(x, y, columns, width, dice)
        halo = smoothstep(6.0 * width, 0.0, line)
        seen = smoothstep(-0.2, 0.4, fbm(x, y, 3, 4, generator) + dice.between(-0.2, 0.3))
        share = seen * (0.75 * smoothstep(width, 0.3 * width, line) + 0.18 * halo)
        colour = mix(colour, milky, np.clip(share, 0.0, 1.0))
        if columns == 2:
            groove = smoothstep(1.2 * width, 0.0, line)
            height = height + level - dice.between(0.002, 0.006) * groove * seen
    bubbles = scattered_pieces(
        dice.whole(60, 400), (0.002, 0.012), (0.8, 1.0), generator, smaller=3.0
    )
    inside = strewn(size_px, bubbles, lambda u, v, k: 1.0 - u * u - v * v)
    ring = np.where(inside.covered, smoothstep(0.9, 0.2, np.maximum(inside.height, 0.0)), 0.0)
    colour = mix(colour, milky, 0.55 * ring)
    roughness = dice.between(0.08, 0.2) + 0.06 * clouds
    words = [name]
    if dice.chance(0.5):
        drift = fbm(x, y, dice.whole(3, 4), 7, generator, gain=0.6)
        snowy = smoothstep(0.05, 0.3, drift + dice.between(-0.2, 0.2))
        colour = mix(colour, (0.84, 0.86, 0.88), snowy)
        height = height + snowy * (0.012 + 0.012 * fbm(x, y, 10, 5, generator, gain=0.6))
        roughness = mix(roughness, 0.75, snowy)
        words = ["snowy", *words]
    return Layers(colour, height, roughness, 0.0 * height, ("cracked", *words))


def _fractures(x: Field, y: Field, columns: int, width: float, dice: Dice) -> tuple[Field, Field]:
    """Return the distance to long nearly straight cracks, and the levels of the floes between."""
    generator = dice.generator
    bend = [0.08 / columns * fbm(x, y, 2 * columns, 5, generator, gain=0.55) for _ in range(2)]
    wx, wy = warped(x, y, *bend)
    points = jittered_points(columns, columns + columns % 2, 1.0, generator)
    floes = stones(wx, wy, points, cellular(wx, wy, points))
    own = generator.normal(0.0, 0.4 * width, floes.count)
    return floes.edge, own[floes.index]


SNOW = Family(
    "snow",
    snow,
    ("snow", "snowy ground"),
    ("dirty", "soft", "windblown", "crusted", "trodden"),
    (0.8, 3.0),
)
ICE = Family("ice", ice, ("ice", "frozen lake"), ("cracked", "snowy", *_ICES), (1.0, 4.0))
