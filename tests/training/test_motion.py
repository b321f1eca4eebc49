"""Laws of the motion training: features invert, mirror, BVH round trip, learning, resuming."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from assets3d.errors import InputError  # noqa: E402
from motion.clip import world_pose  # noqa: E402
from motion.features import IDLE, JUMP, LIE, MOVE, SIT, STAND, unpack_input, unpack_output  # noqa: E402
from motion.files.bvh import write_bvh  # noqa: E402
from motion.gaits import make_gaits  # noqa: E402
from motion.gaits.timeline import Part  # noqa: E402
from training import motion  # noqa: E402
from training.motion_data import Dataset, bvh_dataset, gait_dataset, joined, scaling  # noqa: E402
from training.motion_features import clip_pairs, smooth_root  # noqa: E402
from training.motion_labels import guessed_labels, read_labels  # noqa: E402
from training.motion_noise import Noise, disturbed, fed_back  # noqa: E402
from training.run import run  # noqa: E402
from training.task import Settings  # noqa: E402


@pytest.fixture(scope="module")
def walked():
    return make_gaits([Part(1.0, IDLE), Part(3.0, MOVE, 1.2, 0.6), Part(1.5, SIT)], seed=1)


@pytest.fixture(scope="module")
def pairs(walked):
    return clip_pairs(walked.clip, walked.styles)


def test_outputs_of_a_frame_are_the_inputs_of_the_next(pairs) -> None:
    """The next pose is told from the current root, as the next input will be told."""
    poses_out = unpack_output(pairs.outputs).pose
    _, poses_in = unpack_input(pairs.inputs)
    for name in ("positions_m", "forward", "up", "velocities_m_s"):
        assert np.allclose(getattr(poses_out, name)[:-1], getattr(poses_in, name)[1:], atol=1e-4)


def test_root_motion_integrates_to_the_path(walked, pairs) -> None:
    root = smooth_root(world_pose(walked.clip)[0])
    turned = np.radians(pairs.outputs[:, -2].astype(np.float64).sum() / 60.0)
    assert turned == pytest.approx(root[-1, 2] - root[1, 2], abs=1e-4)
    speed = np.hypot(pairs.outputs[:, -3], pairs.outputs[:, -1])
    path = np.linalg.norm(np.diff(root[1:, :2], axis=0), axis=1)
    assert np.allclose(speed, path * 60.0, atol=1e-3)


def test_the_present_is_the_origin_and_speed_is_told(pairs) -> None:
    samples, _ = unpack_input(pairs.inputs)
    assert np.abs(samples.positions_m[:, 6]).max() < 1e-6
    assert np.allclose(samples.directions[:, 6], [0.0, 1.0], atol=1e-6)
    middle = slice(120, 150)
    assert np.allclose(samples.speeds_m_s[middle, 6], 1.2, atol=0.15)
    assert np.allclose(samples.styles.sum(axis=-1), 1.0, atol=1e-5)


def test_mirroring_twice_is_the_identity_and_once_is_not(pairs) -> None:
    once = pairs.mirrored()
    twice = once.mirrored()
    assert np.allclose(twice.inputs, pairs.inputs, atol=1e-5)
    assert np.allclose(twice.outputs, pairs.outputs, atol=1e-5)
    assert np.allclose(once.outputs[:, -2], -pairs.outputs[:, -2], atol=1e-5)
    assert not np.allclose(once.inputs, pairs.inputs, atol=0.1)


def test_bvh_written_and_read_gives_the_same_features(tmp_path: Path, walked, pairs) -> None:
    write_bvh(tmp_path / "dog.bvh", walked.clip)
    rows = ["frames,style"]
    rows += [f"0-{len(walked.clip) - 1},move"]
    (tmp_path / "dog.csv").write_text("\n".join(rows) + "\n")
    data = bvh_dataset(tmp_path)
    half = len(data.inputs) // 2
    own = np.r_[0:84]  # trajectory without labels, then all bones
    columns = np.concatenate([own[own % 13 < 7], np.arange(156, 480)])
    read, made = data.inputs[:half][:, columns], pairs.inputs[:, columns]
    velocities = 1e-2  # a velocity is sixty times a difference of rounded positions
    assert np.abs(read - made).max() < velocities
    assert np.abs(data.outputs[:half, -3:] - pairs.outputs[:, -3:]).max() < velocities


def test_feeding_true_outputs_back_gives_the_next_inputs(pairs) -> None:
    inputs, outputs = torch.from_numpy(pairs.inputs), torch.from_numpy(pairs.outputs)
    fed = fed_back(inputs[:-1], outputs[:-1], inputs[1:])
    assert float((fed - inputs[1:]).abs().max()) < 0.02


def test_noise_leaves_the_present_and_the_targets_where_they_are(pairs) -> None:
    inputs = torch.from_numpy(pairs.inputs[:64])
    spread = torch.from_numpy(scaling(joined([pairs])).input_std)
    draws = [
        disturbed(inputs, spread, Noise(), torch.Generator().manual_seed(s)) for s in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
    assert torch.equal(draws[0][:, 78:82], inputs[:, 78:82])
    none = disturbed(inputs, spread, Noise(0, 0, 0, 0, 0, 0), torch.Generator().manual_seed(1))
    assert torch.allclose(none, inputs, atol=1e-6)


def test_guessed_labels_agree_with_the_known_ones() -> None:
    parts = [Part(2.0, IDLE), Part(3.0, MOVE, 1.2), Part(3.5, SIT), Part(3.0, MOVE, 2.0)]
    parts += [Part(3.0, JUMP, 2.0), Part(2.0, MOVE, 1.0), Part(4.0, LIE), Part(2.0, MOVE, 0.7)]
    parts += [Part(4.0, STAND), Part(2.0, IDLE)]
    made = make_gaits(parts)
    guessed = guessed_labels(made.clip)
    assert np.allclose(guessed.sum(axis=1), 1.0)
    same = guessed.argmax(axis=1) == made.styles.argmax(axis=1)
    assert same.mean() > 0.75
    for style in (MOVE, JUMP, SIT, STAND, LIE):
        sure = made.styles[:, style] > 0.99
        assert same[sure].mean() > 0.5, style


def test_sidecar_labels_ramp_between_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("frames,style\n0-9,idle\n20-29,move\n")
    labels = read_labels(path, 30)
    assert labels[5, IDLE] == 1.0 and labels[25, MOVE] == 1.0
    assert 0.0 < labels[14, MOVE] < 1.0 and np.allclose(labels.sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("frame,style\n0,idle\n", "header"),
        ("frames,style\n0,swim\n", "swim"),
        ("frames,style\n0-99,idle\n", "0-29"),
        ("frames,style\nx,idle\n", "wanted a or a-b"),
        ("frames,style\n", "no rows"),
    ],
)
def test_a_wrong_sidecar_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_labels(path, 30)


def test_a_folder_without_bvh_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \.bvh"):
        bvh_dataset(tmp_path)


def test_windows_stay_within_their_clip() -> None:
    zeros = np.zeros((10, 1), np.float32)
    data = Dataset(zeros, zeros, np.array([0, 6, 10]))
    assert data.windows(4).tolist() == [0, 1, 2, 6]


def _task(seed: int = 0, unrolled: float = 0.0) -> motion.MotionTask:
    data = gait_dataset(0.1, 0)
    recipe = replace(motion.PRESETS["small"], hidden=24, experts=2, batch=16, frames=3)
    recipe = replace(recipe, unrolled=unrolled)
    task = motion.MotionTask(data, data, recipe, seed=seed, device="cpu", note="")
    task.validate = lambda networks: {}  # type: ignore[method-assign]
    task.samples = lambda networks: np.zeros((2, 2, 3), np.uint8)  # type: ignore[method-assign]
    return task


def _settings(out: Path, steps: int) -> Settings:
    return Settings(out=out, minutes=5.0, total_minutes=1e6, steps=steps, rate=1e-2, warm_up=1)


def test_twenty_steps_lower_the_loss(tmp_path: Path) -> None:
    task = _task()

    def loss() -> float:
        with torch.no_grad():
            return float(task.loss(0.0, torch.Generator().manual_seed(9))[0])

    before = loss()
    run(task, _settings(tmp_path, 20))
    assert loss() < 0.9 * before


def test_resumed_training_equals_an_unbroken_one(tmp_path: Path) -> None:
    whole, parts = _task(unrolled=1.0), _task(unrolled=1.0)
    constant = {"schedule": lambda step: 1e-3}
    run(whole, replace(_settings(tmp_path / "whole", 12), **constant))
    run(parts, replace(_settings(tmp_path / "parts", 6), **constant))
    parts = _task(seed=4, unrolled=1.0)  # other first weights: all must come from the checkpoint
    run(parts, replace(_settings(tmp_path / "parts", 12), **constant))
    first, second = whole.networks.state_dict(), parts.networks.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_warm_restarts_follow_the_published_cycles() -> None:
    at = [motion.restart_factor(epoch * 100, 100) for epoch in (0, 5, 10, 20, 30, 70)]
    assert at[0] == at[2] == at[4] == at[5] == 1.0
    assert at[1] == pytest.approx(0.5) and at[3] == pytest.approx(0.5)
    assert min(motion.restart_factor(step, 100) for step in range(1000)) == pytest.approx(
        0.02447, abs=1e-4
    )


def test_the_trained_network_is_the_runtime_network() -> None:
    from motion.network import Network
    from motion.weights import expanded

    task = _task()
    task.network.eval()
    x = task.inputs[:5]
    with torch.no_grad():
        wanted = task.network(task.network.normalised(x)) * task.network.output_std
        wanted = (wanted + task.network.output_mean).numpy()
    found = Network(expanded(task.network.weights()), backend="numpy")(x.numpy()).output
    assert np.abs(found - wanted).max() < 2e-3 * np.abs(wanted).max()


@pytest.mark.slow
def test_a_folder_of_bvh_becomes_the_binary_folder_without_further_options(tmp_path):
    from motion.files.bvh import write_bvh
    from motion.gaits import make_gaits
    from motion.gaits.timeline import Part
    from motion.weights import read_folder

    data = tmp_path / "data"
    data.mkdir()
    for name, speed in (("a", 0.7), ("b", 1.5)):
        made = make_gaits([Part(5.0, speed_mps=speed)], name=name)
        write_bvh(data / f"{name}.bvh", made.clip)
    out = tmp_path / "out"
    small = ("--preset", "small", "--steps", "2", "--minutes", "0.01", "--batch", "4")
    motion.main(["--data", str(data), "--out", str(out), *small])
    assert len(list((out / "export" / "binary").iterdir())) == 58
    assert read_folder(out / "export" / "binary").output_mean.shape == (363,)
