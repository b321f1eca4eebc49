"""Laws of signed-distance fields: never more than the distance, negative inside, placed right."""

import math

import numpy as np
import pytest
import torch

from assets3d.props import operators as op
from assets3d.props import sdf

FIELDS = {
    "sphere": sdf.sphere(0.7),
    "ellipsoid": sdf.ellipsoid(0.8, 0.3, 0.5),
    "flat ellipsoid": sdf.ellipsoid(0.9, 0.12, 0.6),
    "box": sdf.box(0.5, 0.6, 0.3),
    "rounded box": sdf.box(0.5, 0.6, 0.3, 0.1),
    "cylinder": sdf.cylinder(0.5, 0.6, 0.05),
    "tube": sdf.tube(0.5, 0.2, 0.4),
    "cone": sdf.cone(0.6, 0.2, 0.5),
    "pointed cone": sdf.cone(0.6, 0.0, 0.5),
    "capsule": sdf.capsule((-0.3, -0.4, 0), (0.4, 0.5, 0.2), 0.2),
    "tapered capsule": sdf.tapered_capsule((0, -0.5, 0), (0.1, 0.5, 0), 0.3, 0.1),
    "torus": sdf.torus(0.6, 0.2),
    "convex": sdf.convex([(1, 1, 0), (-1, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)], [0.4] * 5),
    "extruded star": sdf.extrude(sdf.star(5, 0.8, 0.4), 0.2),
    "revolved polygon": sdf.revolve(sdf.polygon([(0, -0.6), (0.5, -0.6), (0.3, 0.6), (0, 0.6)])),
    "smooth union": op.smooth_union(
        0.2, sdf.sphere(0.5), op.translate(sdf.box(0.3, 0.3, 0.3), 0.5)
    ),
    "difference": op.subtract(sdf.sphere(0.8), op.translate(sdf.sphere(0.5), 0.5)),
    "repeated": op.repeat_around(op.translate(sdf.sphere(0.15), 0, 0, 0.7), 7),
    "squashed": op.squash(sdf.sphere(0.8), 1.0, 0.5, 0.8),
    "wavy": op.wavy(sdf.sphere(0.7), 0.03, 9.0, 1.0),
    "ribbed": op.ribbed(sdf.sphere(0.7), 0.06, 10),
}


def _cube(count, seed=0, half=1.2):
    rng = np.random.default_rng(seed)
    return tuple(torch.from_numpy(rng.uniform(-half, half, count)) for _ in range(3))


@pytest.mark.parametrize("name", [n for n in FIELDS if "ellipsoid" not in n])
def test_never_steeper_than_one(name):
    """Ellipsoids are first-order only: they keep the law below, not this one."""
    field = FIELDS[name]
    points = _cube(20_000)
    rng = np.random.default_rng(1)
    offset = rng.normal(size=(3, 20_000))
    offset *= 0.02 / np.linalg.norm(offset, axis=0)
    moved = tuple(p + torch.from_numpy(o) for p, o in zip(points, offset, strict=True))
    slope = (field(moved) - field(points)).abs() / 0.02
    assert float(slope.quantile(0.999)) < 1.03
    assert float(slope.max()) < 1.25


@pytest.mark.parametrize("name", FIELDS)
def test_no_solid_within_the_distance(name):
    """A ball of the field's value round an outside point holds no inside point."""
    field = FIELDS[name]
    inside = torch.stack(_cube(40_000, seed=2))
    inside = inside[:, field(tuple(inside)) < 0.0]
    outside = torch.stack(_cube(1_500, seed=3))
    claimed = field(tuple(outside))
    outside, claimed = outside[:, claimed > 0.0], claimed[claimed > 0.0]
    true = torch.cdist(outside.T, inside.T).amin(1)
    assert inside.shape[1] > 100
    assert float((claimed - true).max()) < 0.02


def test_signs_and_values():
    origin = tuple(torch.zeros(1) for _ in range(3))
    for name in ("sphere", "box", "cylinder", "cone", "ellipsoid", "extruded star"):
        assert float(FIELDS[name](origin)) < 0.0, name
    assert float(FIELDS["tube"](origin)) == pytest.approx(0.4)
    corner = (torch.tensor([1.5]), torch.tensor([1.6]), torch.tensor([1.3]))
    assert float(FIELDS["box"](corner)) == pytest.approx(math.sqrt(3.0))


def test_rotations_turn_the_stated_way():
    arm = op.translate(sdf.sphere(0.1), 0.0, 1.0, 0.0)
    front = (torch.tensor([0.0]), torch.tensor([0.0]), torch.tensor([1.0]))
    assert float(op.rotate_x(arm, 90.0)(front)) == pytest.approx(-0.1, abs=1e-6)
    ahead = op.translate(sdf.sphere(0.1), 0.0, 0.0, 1.0)
    right = (torch.tensor([1.0]), torch.tensor([0.0]), torch.tensor([0.0]))
    assert float(op.rotate_y(ahead, 90.0)(right)) == pytest.approx(-0.1, abs=1e-6)
    east = op.translate(sdf.sphere(0.1), 1.0, 0.0, 0.0)
    up = (torch.tensor([0.0]), torch.tensor([1.0]), torch.tensor([0.0]))
    assert float(op.rotate_z(east, 90.0)(up)) == pytest.approx(-0.1, abs=1e-6)
    assert float(op.lying(arm)(front)) == pytest.approx(-0.1, abs=1e-6)
    assert float(op.sideways(arm)(right)) == pytest.approx(-0.1, abs=1e-6)
