"""The first line of an SVG drawing as points: path, polyline, polygon or line.

Curves are cut into short straight pieces. The grammar is that of SVG 2 chapter 9; the arcs'
centres follow its appendix on implementation. Transforms are refused, not ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np

from assets3d.errors import InputError
from motion.features import Array

_TOKEN = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
#: Straight pieces of one curve.
_PIECES = 24


def svg_points(text: str, where: str) -> Array:
    """Return the (N, 2) points of the first line in an SVG, in its own units.

    Raises:
        InputError: no XML, no line in it, a transform, or a path that breaks the grammar.
    """
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{where}: not XML ({error})") from None
    element, transformed = _first_line(root, transformed=False)
    if element is None:
        raise InputError(f"{where}: no path, polyline, polygon or line in it")
    if transformed:
        raise InputError(f"{where}: the line has a transform, wanted plain coordinates")
    tag = _tag(element)
    if tag == "path":
        return np.array(_path(element.get("d", ""), where)).reshape(-1, 2)
    if tag == "line":
        values = [_number(element.get(name, "0"), where) for name in ("x1", "y1", "x2", "y2")]
    else:
        words = re.split(r"[\s,]+", element.get("points", "").strip())
        values = [_number(word, where) for word in words if word]
    if len(values) % 2:
        raise InputError(f"{where}: {len(values)} coordinates, wanted pairs")
    points = np.array(values).reshape(-1, 2)
    return np.concatenate([points, points[:1]]) if tag == "polygon" else points


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _first_line(
    element: ElementTree.Element, *, transformed: bool
) -> tuple[ElementTree.Element | None, bool]:
    """Find the first line that is drawn; definitions and clip paths are not."""
    transformed = transformed or bool(element.get("transform"))
    if _tag(element) in ("path", "polyline", "polygon", "line"):
        return element, transformed
    if _tag(element) in ("defs", "clipPath", "symbol", "marker", "mask", "pattern"):
        return None, False
    for child in element:
        found = _first_line(child, transformed=transformed)
        if found[0] is not None:
            return found
    return None, False


def _number(word: str, where: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise InputError(f"{where}: {word!r} is no number") from None


def _path(commands: str, where: str) -> list[tuple[float, float]]:
    """Return the points of a path's first stroke: up to its second move."""
    points: list[complex] = []
    control, last = 0j, ""
    for letter, numbers in _commands(commands, where):
        upper = letter.upper()
        if upper == "M" and points:
            break
        here = points[-1] if points else 0j
        if not points and upper != "M":
            raise InputError(f"{where}: the path begins with {letter!r}, wanted M")
        base = here if letter.islower() else 0j
        if upper == "Z":
            points.append(points[0])
            last = upper
            continue
        if upper in "HV":
            end = complex(numbers[0] + base.real, here.imag)
            end = end if upper == "H" else complex(here.real, numbers[0] + base.imag)
        else:
            pairs = numbers[-2:] if upper == "A" else numbers
            ends = [base + complex(*pairs[i : i + 2]) for i in range(0, len(pairs), 2)]
            end = ends[-1]
        if upper in "MLHV":
            points.append(end)
        elif upper == "A":
            points.extend(_arc(here, numbers, end))
        else:
            # S and T begin with the last control point mirrored, or none after another command.
            before = {"S": "CS", "T": "QT"}.get(upper, "")
            if before:
                ends.insert(0, 2 * here - control if last and last in before else here)
            points.extend(_bezier([here, *ends]))
            control = ends[-2]
        last = upper
    return [(point.real, point.imag) for point in points]


def _commands(text: str, where: str) -> Iterator[tuple[str, list[float]]]:
    """Yield one letter with its numbers at a time; repeated numbers repeat the letter."""
    rest = _TOKEN.sub("", text).replace(",", "").strip()
    if rest:
        raise InputError(f"{where}: the path has {rest[:10]!r} in it")
    letter, numbers = "", list[float]()
    for token in [*_split_flags(text), "M"]:
        if not token.isalpha():
            numbers.append(float(token))
            if not letter:
                raise InputError(f"{where}: the path begins with a number, wanted M")
            count = _NUMBERS[letter.upper()]
            if count == len(numbers):
                yield letter, numbers
                numbers = []
                # Further pairs after a move are lines.
                letter = {"M": "L", "m": "l"}.get(letter, letter)
            elif count == 0:
                raise InputError(f"{where}: numbers after {letter!r} in the path")
            continue
        if token.upper() not in _NUMBERS:
            raise InputError(f"{where}: {token!r} is no command of an SVG path")
        if numbers:
            raise InputError(f"{where}: too few numbers after {letter!r} in the path")
        letter = token
        if token in "Zz":
            yield token, []


def _split_flags(text: str) -> list[str]:
    """Return the tokens of a path; an arc's two flags may stand together with what follows."""
    tokens, position, taken, letter = list[str](), 0, 0, ""
    while match := _TOKEN.search(text, position):
        token = match.group()
        if token.isalpha():
            letter, taken = token, 0
        elif letter in ("A", "a"):
            if taken % 7 in (3, 4):
                token = token[0]
            taken += 1
        tokens.append(token)
        position = match.start() + len(token)
    return tokens


def _bezier(points: list[complex]) -> list[complex]:
    """Return points on a Bezier curve of any degree, its start left out (de Casteljau)."""
    t = np.arange(1, _PIECES + 1) / _PIECES
    levels = [np.full(_PIECES, point) for point in points]
    while len(levels) > 1:
        levels = [a + (b - a) * t for a, b in pairwise(levels)]
    return [complex(point) for point in levels[0]]


def _arc(start: complex, numbers: list[float], end: complex) -> list[complex]:
    """Return points on an elliptical arc, its start left out (SVG 2, appendix B.2.4)."""
    x_radius, y_radius, turn, large, sweep = numbers[:5]
    if x_radius == 0 or y_radius == 0 or start == end:
        return [end]
    x_radius, y_radius = abs(x_radius), abs(y_radius)
    axis = np.exp(1j * np.radians(turn))
    half = (start - end) / 2 / axis
    # In units of the radii the ellipse is a circle of radius 1.
    unit = complex(half.real / x_radius, half.imag / y_radius)
    if abs(unit) > 1:
        x_radius, y_radius, unit = x_radius * abs(unit), y_radius * abs(unit), unit / abs(unit)
    aside = np.sqrt(max(1 - abs(unit) ** 2, 0.0)) * 1j * unit / abs(unit)
    center = aside if bool(large) == bool(sweep) else -aside
    first, last = np.angle(unit - center), np.angle(-unit - center)
    sweep_angle = (last - first) % (2 * np.pi) - (0 if sweep else 2 * np.pi)
    angles = first + sweep_angle * np.arange(1, _PIECES + 1) / _PIECES
    circle = center + np.exp(1j * angles)
    points = (circle.real * x_radius + 1j * circle.imag * y_radius) * axis + (start + end) / 2
    return [complex(point) for point in points[:-1]] + [end]
