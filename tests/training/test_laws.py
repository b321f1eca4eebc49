import numpy as np
import pytest
import torch

from assets3d.cameras import four_views, project
from training.diffusion import Noising, new_scheduler, sampled_steps, spread_steps
from training.latents import mirror_views
from training.tokens import merges_for, split_word, words_in


def test_mirroring_an_object_flips_its_pictures_and_swaps_right_with_left():
    cameras = four_views(64)
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3))
    here, _ = project(cameras, points)
    mirrored, _ = project(cameras, points * [-1.0, 1.0, 1.0])
    flipped = here[[0, 3, 2, 1]] * [-1.0, 1.0] + [64.0, 0.0]
    np.testing.assert_allclose(mirrored, flipped, atol=1e-9)


def test_mirror_views_does_what_the_law_says_and_is_its_own_inverse():
    rgba = torch.arange(2 * 4 * 3 * 5 * 4).reshape(2, 4, 3, 5, 4)
    mirrored = mirror_views(rgba)
    assert torch.equal(mirrored[:, 0], rgba[:, 0].flip(2))
    assert torch.equal(mirrored[:, 1], rgba[:, 3].flip(2))
    assert torch.equal(mirror_views(mirrored), rgba)


@pytest.mark.parametrize("split", ["training", "validation"])
def test_kept_props_are_never_chosen(split):
    from assets3d.props import HELD_OUT_FAMILIES
    from training.seeds import choose_props, training_families

    chosen = choose_props(split, 0, 5_000, training_families())
    assert not {family for family, _ in chosen} & set(HELD_OUT_FAMILIES)
    assert max(seed for _, seed in chosen) < 1_000_000


def test_splits_share_no_seed_and_benchmark_seeds_are_refused():
    from assets3d.props import HELD_OUT_FAMILIES
    from training.seeds import TRAINING_SEEDS, VALIDATION_SEEDS, assert_trainable, choose_props

    assert not set(TRAINING_SEEDS) & set(VALIDATION_SEEDS)
    with pytest.raises(ValueError, match="benchmarks"):
        assert_trainable([("crate", 1_000_000)])
    with pytest.raises(ValueError, match="benchmarks"):
        assert_trainable([(HELD_OUT_FAMILIES[0], 1)])
    with pytest.raises(ValueError, match="wanted"):
        choose_props("validation", 9_999, 2, ("crate",))


def test_every_known_word_is_one_token():
    words = words_in(["a taxi and an axe", "tartar art; rat-tat two x1"])
    ranks = {pair: rank for rank, pair in enumerate(merges_for(words))}
    assert all(len(split_word(word, ranks)) == 1 for word in words)
    assert len(split_word("zebra", ranks)) > 1


def test_an_untrained_text_encoder_tells_words_apart():
    """Where it does not, the image model learns that something is a prop, and no colour."""
    from training.image_networks import new_text_encoder, token_ids
    from training.run import fresh
    from training.tokens import new_tokenizer

    captions = ["a red apple", "a blue apple", "a red barrel", ""]
    tokenizer = new_tokenizer(words_in(captions))
    encoder = fresh(lambda: new_text_encoder(tokenizer))
    contexts = encoder(token_ids(tokenizer, captions)).last_hidden_state.flatten(1)
    contexts = contexts - contexts.mean(0)
    alike = torch.nn.functional.cosine_similarity(contexts[:, None], contexts[None], dim=-1)
    assert alike[0, 1:].max() < 0.8 and alike[1, 2] < alike[0, 1]


def test_velocity_is_what_the_scheduler_takes_back_to_the_clean_latent():
    clean, noise = torch.randn(2, 3, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    steps = torch.tensor([999, 500, 3])
    noisy, velocity = Noising("cpu").mix(clean, noise, steps)
    scheduler = new_scheduler()
    scheduler.set_timesteps(4)
    for place, step in enumerate(steps):
        found = scheduler.step(velocity[place], int(step), noisy[place]).pred_original_sample
        assert torch.allclose(found, clean[place], atol=1e-4)


def test_the_only_step_of_one_is_pure_noise_and_its_velocity_the_picture_itself():
    steps = sampled_steps(1)
    clean, noise = torch.randn(2, 1, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    noisy, velocity = Noising("cpu").mix(clean, noise, steps)
    torch.testing.assert_close(noisy, noise)
    torch.testing.assert_close(velocity, -clean)
    assert sampled_steps(2).tolist() == [999, 499]


def test_time_steps_are_spread_over_the_whole_range():
    steps = spread_steps(10, torch.Generator().manual_seed(0))
    assert sorted((steps // 100).tolist()) == list(range(10))
