import pytest
import torch

from assets3d.textures.maps.small_network import STRIDE_PX, MapsNetwork, wrapped


@pytest.fixture(scope="module")
def network():
    """A random network."""
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(0)
        network = MapsNetwork()
    return network.eval().requires_grad_(False)


def pictures(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def test_its_size_is_what_the_repository_can_carry(network):
    assert 1.0e6 < sum(p.numel() for p in network.parameters()) < 1.5e6


def test_a_picture_that_is_rolled_gets_rolled_maps(network):
    x = pictures(2, 3, 64, 96)
    roll = (STRIDE_PX, 3 * STRIDE_PX)
    maps, moved = network(x), network(torch.roll(x, roll, (2, 3)))
    for part, rolled in zip(maps, moved, strict=True):
        torch.testing.assert_close(rolled, torch.roll(part, roll, (2, 3)), atol=1e-4, rtol=1e-4)


def test_wrapping_goes_around_more_than_once_where_the_tile_is_small():
    x = pictures(1, 2, 3, 5)
    tiled = x.repeat(1, 1, 5, 3)
    for margin in (1, 2, 4):
        rows, columns = slice(6 - margin, 9 + margin), slice(5 - margin, 10 + margin)
        assert torch.equal(wrapped(x, margin), tiled[:, :, rows, columns])


def test_a_window_lacks_nothing(network):
    """The middle of a wide window is that of the picture."""
    x = pictures(1, 3, 1024, 32)
    x[:, :, 768:] = 1.0
    whole, window = network(x).slopes, network(x[:, :, :768]).slopes
    torch.testing.assert_close(window[:, :, 320:448], whole[:, :, 320:448], atol=1e-4, rtol=1e-4)
    assert (window - whole[:, :, :768])[:, :, :8].abs().max() > 1e-4


def test_the_frame_is_a_rotation():
    from assets3d.textures.maps.small_network import _in_frame

    x = pictures(1, 3, 8, 8)
    one, nothing = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)
    plain, turned = _in_frame(x, nothing, one), _in_frame(x.rot90(1, (2, 3)), -one, nothing)
    # A picture and its light turned together by 90 degrees are shown alike, but turned.
    torch.testing.assert_close(turned, plain.rot90(1, (2, 3)))
