import json

import numpy as np
import pytest
import torch

from tests.training.conftest import options


def progress(folder):
    return json.loads((folder / "progress.json").read_text())


def test_autoencoder_resumes_and_exports_normalised_latents(data, vae):
    from training.backgrounds import on_white
    from training.data import load_props
    from training.latents import encode, load_autoencoder

    assert progress(vae.parent / "out")["step"] == 2
    fronts = torch.from_numpy(load_props(data, "training").rgba[:, 0])
    latents = encode(load_autoencoder(vae, "cpu"), on_white(fronts), "cpu")
    assert latents.shape == (8, 4, 4, 4)
    assert latents.mean((0, 2, 3)).abs().max() < 0.05
    assert (latents.std((0, 2, 3)) - 1.0).abs().max() < 0.05
    assert "Scores" in (vae / "README.md").read_text()


def test_folding_keeps_the_reconstruction():
    from training.autoencoder import fold_normalisation, new_autoencoder

    autoencoder = new_autoencoder("cpu", 32).eval()
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = autoencoder.decode(autoencoder.encode(picture).latent_dist.mode()).sample
        fold_normalisation(autoencoder, torch.tensor([0.3, -1, 2, 0]), torch.tensor([2, 0.5, 1, 3]))
        after = autoencoder.decode(autoencoder.encode(picture).latent_dist.mode()).sample
    assert torch.allclose(before, after, atol=1e-4)


def test_views_resume(data, vae, latents, tmp_path):
    from assets3d.views.model import load_views_model
    from training.views import main

    more = ["--latents", str(latents), "--autoencoder", str(vae)]
    for steps in (2, 3):
        main([*options(data, tmp_path / "out", steps), *more, "--export", str(tmp_path / "views")])
    assert progress(tmp_path / "out")["step"] == 3
    assert (tmp_path / "out" / "samples.png").exists()
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "vae").symlink_to(vae)
    first = load_views_model(tmp_path / "views")
    assert first.size_px == 32
    main(
        [
            *options(data, tmp_path / "more", 1),
            *(*more, "--rate", "0", "--start", str(tmp_path / "views")),
            *("--export", str(tmp_path / "again")),
        ]
    )
    again = load_views_model(tmp_path / "again")
    for name, value in first.unet.state_dict().items():
        torch.testing.assert_close(again.unet.state_dict()[name], value, atol=1e-3, rtol=1e-3)


def test_views_of_one_step_say_so_where_they_are_exported(data, vae, latents, tmp_path):
    from assets3d.errors import InputError
    from assets3d.views.model import load_views_model
    from assets3d.views.pipeline import make_views
    from training.views import main

    more = ["--latents", str(latents), "--autoencoder", str(vae)]
    one = ["--sampling-steps", "1", "--error", "absolute", "--export", str(tmp_path / "views")]
    main([*options(data, tmp_path / "out", 1), *more, *one])
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "vae").symlink_to(vae)
    model = load_views_model(tmp_path / "views")
    cutout = np.full((32, 32, 4), 255, np.uint8)
    assert make_views(model, cutout, seed=0).shape == (4, 32, 32, 3)
    with pytest.raises(InputError, match="wanted 1"):
        make_views(model, cutout, seed=0, steps=20)
    card = (tmp_path / "views" / "README.md").read_text()
    assert "pure noise in one step, mean absolute error" in card
    assert "`python -m training.views --sampling-steps 1 --error absolute`" in card
    further = [*options(data, tmp_path / "more", 1), *more, "--start", str(tmp_path / "views")]
    with pytest.raises(SystemExit):
        main(further)  # all 1000 steps, from a network that forgot them
    main([*further, "--sampling-steps", "1"])


@pytest.mark.slow
def test_text_to_image_resumes_and_loads_as_a_pipeline(pictures, vae, picture_latents, tmp_path):
    from diffusers import AutoPipelineForText2Image

    from training.latents import autoencoder_hash
    from training.text_to_image import main

    more = ["--latents", str(picture_latents), "--autoencoder", str(vae)]
    for steps in (1, 2):
        main(
            [
                *options(pictures, tmp_path / "out", steps),
                *more,
                "--export",
                str(tmp_path / "image"),
            ]
        )
    assert progress(tmp_path / "out")["step"] == 2
    assert autoencoder_hash(tmp_path / "image" / "vae") == autoencoder_hash(vae)
    pipeline = AutoPipelineForText2Image.from_pretrained(
        tmp_path / "image", local_files_only=True, dtype=torch.float32
    )
    generator = torch.Generator().manual_seed(0)
    picture = pipeline("a red disc", num_inference_steps=2, generator=generator, output_type="np")
    assert picture.images.shape == (1, 32, 32, 3)
    assert np.isfinite(picture.images).all()
    assert "red" in json.loads((tmp_path / "image" / "words.json").read_text())["words"]


@pytest.mark.slow
def test_text_to_image_goes_on_at_full_size_from_half_size(
    pictures, vae, picture_latents, tmp_path
):
    from safetensors.torch import load_file

    from training.picture_latents import load_picture_latents
    from training.picture_latents import main as encode_all
    from training.text_to_image import main

    more = ["--autoencoder", str(vae)]
    small = tmp_path / "small"
    encode_all(["--data", str(pictures), *more, "--halved", "--out", str(small)])
    shapes = [
        load_picture_latents(folder, "training", vae).latents.shape[-1]
        for folder in (small, picture_latents)
    ]
    assert shapes == [2, 4]
    start = ["--latents", str(small), "--export", str(tmp_path / "first")]
    main([*options(pictures, tmp_path / "first.out", 2), *more, *start])
    more += ["--latents", str(picture_latents), "--start", str(tmp_path / "first")]
    again = ["--rate", "0", "--export", str(tmp_path / "second")]
    main([*options(pictures, tmp_path / "second.out", 1), *more, *again])
    assert json.loads((tmp_path / "second/unet/config.json").read_text())["sample_size"] == 4
    for part in ("unet/diffusion_pytorch_model", "text_encoder/model"):
        first, second = (
            load_file(tmp_path / name / f"{part}.safetensors") for name in ("first", "second")
        )
        assert all(torch.equal(first[key], second[key]) for key in first)
    words = tmp_path / "first/words.json"
    words.write_text(words.read_text().replace("red", "mauve"))
    with pytest.raises(ValueError, match="other words"):
        main([*options(pictures, tmp_path / "third.out", 1), *more])


def test_a_resumed_training_equals_an_unbroken_one(pictures, tmp_path):
    from safetensors.torch import load_file

    from training.autoencoder import main

    # The whole length enters the learning rate, so the first slice is cut by time, not by steps.
    for name, minutes in (("broken", "0.002"), ("broken", "5"), ("whole", "5")):
        more = ["--minutes", minutes, "--total-minutes", "1e9", "--threads", "1"]
        main([*options(pictures, tmp_path / name, 3), *more])
    broken = load_file(tmp_path / "broken" / "checkpoint.safetensors")
    whole = load_file(tmp_path / "whole" / "checkpoint.safetensors")
    assert broken.keys() == whole.keys()
    assert all(torch.equal(broken[name], whole[name]) for name in whole)


def test_latents_of_another_autoencoder_are_refused(latents, tmp_path):
    from training.latents import load_latents

    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="another autoencoder"):
        load_latents(latents, "training", tmp_path)
