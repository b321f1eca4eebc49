"""Named colours of paints and dyes, sRGB; what captions call them is what is painted."""

from __future__ import annotations

from assets3d.textures.world.dice import Dice

Rgb = tuple[float, float, float]

PAINTS: dict[str, Rgb] = {
    "white": (0.86, 0.85, 0.82),
    "black": (0.21, 0.21, 0.22),
    "grey": (0.50, 0.50, 0.51),
    "red": (0.62, 0.18, 0.16),
    "orange": (0.79, 0.44, 0.18),
    "yellow": (0.82, 0.68, 0.28),
    "green": (0.20, 0.44, 0.22),
    "turquoise": (0.20, 0.56, 0.56),
    "blue": (0.18, 0.33, 0.58),
    "purple": (0.42, 0.25, 0.48),
    "pink": (0.83, 0.52, 0.58),
    "beige": (0.78, 0.70, 0.56),
    "brown": (0.40, 0.26, 0.17),
}


def paint(dice: Dice, name: str, amount: float = 0.05) -> Rgb:
    """Return the paint of a name, a little varied so that no two materials are alike."""
    return shade(dice, PAINTS[name], amount)


def shade(dice: Dice, colour: Rgb, amount: float = 0.05) -> Rgb:
    """Return a colour near the given one: brightness and hue varied by about `amount`."""
    value = 1.0 + dice.between(-2.0 * amount, 2.0 * amount)
    r, g, b = (min(max(c * value + dice.between(-amount, amount) / 2, 0.0), 1.0) for c in colour)
    return (r, g, b)
