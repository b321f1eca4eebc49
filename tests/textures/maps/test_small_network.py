import pytest
import torch

from assets3d.textures.maps.small_network import STRIDE_PX, MapsNetwork, ResidualUnit, wrapped


@pytest.fixture(scope="module")
def network():
    """A random network whose residual units do something."""
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(0)
        network = MapsNetwork()
        for module in network.modules():
            if isinstance(module, ResidualUnit):
                torch.nn.init.kaiming_normal_(module.second.weight)
    return network.eval().requires_grad_(False)


def pictures(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def test_its_size_is_what_the_repository_can_carry(network):
    assert 1.0e6 < sum(p.numel() for p in network.parameters()) < 1.5e6


def test_a_picture_that_is_rolled_gets_rolled_maps(network):
    x = pictures(2, 3, 64, 96)
    roll = (STRIDE_PX, 3 * STRIDE_PX)
    maps, moved = network(x), network(torch.roll(x, roll, (2, 3)))
    for part, rolled in zip(maps[:-1], moved[:-1], strict=True):
        torch.testing.assert_close(rolled, torch.roll(part, roll, (2, 3)), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(moved.light, maps.light, atol=1e-4, rtol=1e-4)


def test_wrapping_goes_around_more_than_once_where_the_tile_is_small():
    x = pictures(1, 2, 3, 5)
    tiled = x.repeat(1, 1, 5, 3)
    for margin in (1, 2, 4):
        rows, columns = slice(6 - margin, 9 + margin), slice(5 - margin, 10 + margin)
        assert torch.equal(wrapped(x, margin), tiled[:, :, rows, columns])


def test_the_means_are_all_that_a_window_lacks(network):
    """With the whole picture's means the middle of a wide window is that of the picture."""
    x = pictures(1, 3, 1024, 32)
    x[:, :, 768:] *= 0.2
    whole = network(x).slopes
    means = torch.cat([level.mean((2, 3)) for level in network.levels(x)], 1)
    window = network(x[:, :, :768], means).slopes
    torch.testing.assert_close(window[:, :, 320:448], whole[:, :, 320:448], atol=1e-4, rtol=1e-4)
    without = network(x[:, :, :768]).slopes
    assert (without - window)[:, :, 320:448].abs().max() > 1e-3
