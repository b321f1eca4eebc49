"""The Gaussians record holds its layout."""

import numpy as np
import pytest

from assets3d.splats.gaussians import Gaussians, from_parts


def test_named_parts_are_lgm_s_columns():
    values = np.arange(28, dtype=np.float32).reshape(2, 14)
    g = Gaussians(values)
    again = from_parts(g.position, g.opacity, g.scale, g.rotation, g.rgb)
    assert np.array_equal(again.values, values)
    assert g.opacity[1] == 17 and g.rotation[0, 0] == 7 and g.rgb[0, 2] == 13
    assert len(g.selected(np.array([True, False]))) == 1


@pytest.mark.parametrize("bad", [np.zeros((3, 13), np.float32), np.zeros((3, 14))])
def test_other_shapes_are_refused(bad):
    with pytest.raises(ValueError, match="wanted"):
        Gaussians(bad)
