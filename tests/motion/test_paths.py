import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets3d.errors import InputError
from motion.script import opened, parse_script, roll_out
from motion.script.paths import read_way, way_of_points
from motion.script.svg_path import svg_points
from tests.motion.stand_ins import Follower

SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'


def _svg(inner: str) -> np.ndarray:
    return svg_points(SVG.format(inner), "way.svg")


def _path(commands: str) -> np.ndarray:
    return _svg(f'<path d="{commands}"/>')


def test_way_points_measure_up():
    way = way_of_points([[0, 0], [0, 0], [3, 4], [3, 6]], "path")
    np.testing.assert_allclose(way.distances_m, [0, 5, 7])
    np.testing.assert_allclose(way.at(2.5), [1.5, 2])
    np.testing.assert_allclose(way.at(99), [3, 6])


@given(st.floats(0, 7), st.floats(0, 7))
def test_nearest_place_is_nearest_within_its_bounds(low, high):
    way = way_of_points([[0, 0], [3, 4], [3, 6]], "path")
    low, high = sorted((low, high))
    point = np.array([1.0, 3.0])
    found = way.nearest(point, low, high)
    assert low - 1e-6 <= found <= high + 1e-6
    gaps = [np.linalg.norm(way.at(s) - point) for s in np.linspace(low, high, 400)]
    assert np.linalg.norm(way.at(found) - point) <= min(gaps) + 1e-9


def test_a_crossing_is_followed_in_order():
    eight = way_of_points([[0, 0], [4, 4], [4, 0], [0, 4]], "path")
    crossing = np.array([2.0, 2.0])
    assert eight.nearest(crossing, 0, 5) == pytest.approx(np.sqrt(8))
    assert eight.nearest(crossing, 8, 14) > 10


def test_svg_shapes_are_read_as_they_are_drawn():
    np.testing.assert_array_equal(
        _svg('<polyline points="0,0 1,2 3 4"/>'), [[0, 0], [1, 2], [3, 4]]
    )
    np.testing.assert_array_equal(
        _svg('<polygon points="0,0 1,0 1,1"/>'), [[0, 0], [1, 0], [1, 1], [0, 0]]
    )
    np.testing.assert_array_equal(_svg('<line x1="1" y2="2"/>'), [[1, 0], [0, 2]])
    nested = '<defs><line x2="9"/></defs><g><line x2="1"/></g><line x2="5"/>'
    np.testing.assert_array_equal(_svg(nested), [[0, 0], [1, 0]])


def test_straight_path_commands_absolute_and_relative():
    wanted = np.array([[1, 1], [3, 1], [3, 4], [0, 4], [1, 1]])
    np.testing.assert_array_equal(_path("M1 1H3V4L0,4Z"), wanted)
    np.testing.assert_array_equal(_path("m1,1h2v3l-3 0z"), wanted)
    # Pairs after a move are lines; numbers may stand without spaces; a second stroke is left out.
    short = np.array([[0.0, 0.0], [0.5, 0.5], [-1.0, -2.0]])
    np.testing.assert_allclose(_path("M0 0 .5.5-1-2e0M9 9L8 8"), short)


def test_curves_pass_where_their_formula_says():
    cubic = _path("M0 0C0 1 1 1 1 0")
    np.testing.assert_allclose(cubic[12], [0.5, 0.75])  # t = 1/2
    np.testing.assert_allclose(cubic[-1], [1, 0])
    np.testing.assert_allclose(_path("M0 0Q1 2 2 0")[12], [1, 1])
    # The mirrored control point makes the smooth forms the same curve, upside down.
    smooth = _path("M0 0C0 1 1 1 1 0S2 -1 2 0")
    np.testing.assert_allclose(smooth[25:], cubic[1:] * [1, -1] + [1, 0], atol=1e-12)
    waves = _path("M0 0q1 2 2 0t2 0")
    np.testing.assert_allclose(waves[36], [3, -1])
    # After a line there is nothing to mirror: T is a straight line.
    straight = _path("M0 0L1 0T3 0")
    np.testing.assert_allclose(straight[:, 1], 0)


@pytest.mark.parametrize(
    ("flags", "centre", "turns", "middle"),
    [
        ("0 1", (0, 0), 0.25, (np.sqrt(0.5), -np.sqrt(0.5))),
        ("1 0", (0, 0), 0.75, (-np.sqrt(0.5), np.sqrt(0.5))),
        ("0 0", (1, -1), 0.25, (1 - np.sqrt(0.5), -1 + np.sqrt(0.5))),
        ("1 1", (1, -1), 0.75, (1 + np.sqrt(0.5), -1 - np.sqrt(0.5))),
    ],
)
def test_arcs_go_round_the_right_centre_the_right_way(flags, centre, turns, middle):
    points = _path(f"M0 -1A1 1 0 {flags} 1 0")
    np.testing.assert_allclose(np.linalg.norm(points - centre, axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(points[[0, 12, -1]], [(0, -1), middle, (1, 0)], atol=1e-9)
    length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    assert length == pytest.approx(turns * 2 * np.pi, rel=0.01)


def test_arc_flags_may_stand_together_and_radii_grow_to_reach():
    np.testing.assert_allclose(_path("M0 0a1 1 0 01.5.5"), _path("M0 0a1 1 0 0 1 .5 .5"))
    points = _path("M0 0A.1 .1 0 0 1 2 0")  # too small: a half circle of radius 1
    np.testing.assert_allclose(np.linalg.norm(points - [1, 0], axis=1), 1, atol=1e-9)
    flat = _path("M0 0A2 1 90 0 1 2 0")  # turned by a right angle: x radius 1, y radius 2
    np.testing.assert_allclose(flat[12], [1, -2], atol=1e-9)


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ("<rect/>", "way.svg: no path, polyline, polygon or line"),
        ('<path d="L1 1"/>', "the path begins with 'L', wanted M"),
        ('<path d="1 1"/>', "the path begins with a number"),
        ('<path d="M1 1L2"/>', "too few numbers after 'L'"),
        ('<path d="M1 1X2 2"/>', "'X' is no command"),
        ('<path d="M1 1L2 #"/>', "the path has '#'"),
        ('<path d="M1 1L2 2Z3"/>', "numbers after 'Z'"),
        ('<polyline points="1,1 2"/>', "3 coordinates, wanted pairs"),
        ('<polyline points="1,a"/>', "'a' is no number"),
        ('<g transform="scale(2)"><line x2="1"/></g>', "the line has a transform"),
    ],
)
def test_bad_svg_is_one_line(inner, message):
    with pytest.raises(InputError, match=message):
        _svg(inner)


def test_files_are_read_and_scaled(tmp_path):
    svg, table = tmp_path / "way.svg", tmp_path / "way.csv"
    svg.write_text(SVG.format('<polyline points="0,0 0,300"/>'))
    table.write_text("\ufeffx,z\n# a bend\n0, 0\n\n1, 2\n", encoding="utf-8")
    np.testing.assert_allclose(
        read_way(svg, "path", metres_per_unit=0.01).points_m, [[0, 0], [0, 3]]
    )
    np.testing.assert_allclose(read_way(table, "path").points_m, [[0, 0], [1, 2]])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("way.csv", b"0,0\n1,x\n", r"path: way.csv line 2: \['1', 'x'\], wanted two numbers"),
        ("way.csv", b"0,0,0\n", "path: way.csv line 1: 3 numbers, wanted two"),
        ("way.csv", b"x,z\n", "path: way.csv: 0 points, wanted at least two"),
        ("way.csv", b"0,0\n1,nan\n", "path: way.csv: a number that is not finite"),
        ("way.csv", b"\xff\xfe\x00", "path: way.csv cannot be read as text"),
        ("way.svg", b"<svg", "path: way.svg: not XML"),
        ("way.svg", b"<svg><path/></svg>", "path: way.svg: 0 points"),
        ("way.png", b"", "path: way.png is neither .svg nor .csv"),
        (None, b"", "path: no file"),
    ],
)
def test_bad_files_are_one_line(tmp_path, name, content, message):
    path = tmp_path / (name or "missing.csv")
    if name:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_way(path, "path")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named_by_the_entry():
    script = parse_script([{"walk": "1 s"}, {"path": "missing.svg"}])
    with pytest.raises(InputError, match=r"script 2 path: no file missing\.svg"):
        roll_out(Follower(), script)


@pytest.mark.parametrize("speed", [0.8, 2.0])
def test_the_animal_goes_along_the_way_to_its_end(tmp_path, speed):
    (tmp_path / "way.svg").write_text(SVG.format('<path d="M0 0C0 2 2 3 3 3S 6 5 6 8 L6 9"/>'))
    entry = {"path": "way.svg", "speed": f"{speed} m/s"}
    rollout = roll_out(Follower(), parse_script([entry, {"idle": "1 s"}]), folder=tmp_path)
    way = read_way(tmp_path / "way.svg", "path")
    track = rollout.ground[: rollout.sections[0].last, :2]
    off = [np.linalg.norm(way.at(way.nearest(p, 0, way.length_m)) - p) for p in track]
    assert max(off) < 0.15 + 0.1 * speed
    assert np.linalg.norm(track[-1] - way.points_m[-1]) < 0.5
    seconds = len(track) / 60
    assert seconds == pytest.approx(way.length_m / speed, rel=0.35)


def test_a_way_too_long_to_be_followed_is_refused_with_its_length(tmp_path):
    with pytest.raises(InputError, match=r"script 1 path: a way of 1e\+06 m takes"):
        parse_script([{"path": [[0, 0], [0, 1e6]], "speed": "1 m/s"}])
    (tmp_path / "way.csv").write_text("x,z\n0,0\n0,100000\n")
    script = parse_script([{"path": "way.csv", "speed": "1 m/s"}])
    with pytest.raises(InputError, match=r"way\.csv: a way of 100000 m .*scale"):
        opened(script, tmp_path)
    near = parse_script([{"path": "way.csv", "speed": "1 m/s", "scale": 0.01}])
    assert opened(near, tmp_path).entries[0].way.length_m == pytest.approx(1000.0)
