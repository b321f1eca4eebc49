"""The gate of commercial profiles, and the table."""

import logging
from pathlib import Path

import pytest
import yaml

from assets3d.errors import InputError
from assets3d.models import ModelFiles, read_entry
from assets3d.models.licences import check_commercial, table

OWN = Path(__file__).parents[2] / "configs/models.yaml"


def model(commercial, *, registered=True, source="owner/net"):
    return ModelFiles(
        "image",
        "net",
        source,
        Path("net"),
        (),
        licence="Some Licence",
        commercial=commercial,
        registered=registered,
    )


def test_what_may_be_sold_passes():
    check_commercial(model("yes"), "image.model")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (model("no"), r"net is not for commercial use \(Some Licence\) .*wanted another model"),
        (model("no", source="models_dir"), "not for commercial use"),
        (model("unverified"), "nobody has read the licence of net"),
        (model("unverified", source="local"), "nobody has read"),  # a registered one, elsewhere
        (model("unverified", registered=False, source="hub"), "nobody has read"),
    ],
)
def test_the_rest_is_refused(found, words):
    with pytest.raises(InputError, match=words) as error:
        check_commercial(found, "image.model")
    assert "commercial: true" in str(error.value)


def test_a_persons_own_file_passes_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        check_commercial(model("unverified", registered=False, source="local"), "image.lora")
    assert "yours to judge" in caplog.text


def test_the_table_has_a_row_per_model():
    registry = yaml.safe_load(OWN.read_text())
    entries = [read_entry(name, values) for name, values in registry.items()]
    lines = table(entries).splitlines()
    assert len(lines) == len(registry) + 2
    assert len({line.count("|") for line in lines}) == 1
    turbo = next(line for line in lines if "`sdxl-turbo`" in line)
    assert "**no**" in turbo
    assert "6.9 GB" in turbo
    assert all("(unverified)" in table([e]) for e in entries if e.on_hub and not e.verified)


def test_every_family_and_its_lora_are_registered():
    from assets3d.images.families import FAMILIES

    registry = yaml.safe_load(OWN.read_text())
    for family in FAMILIES:
        entry = read_entry(family.defaults["model"], registry[family.defaults["model"]])
        assert (entry.step, entry.kind) == ("image", "checkpoint")
        if family.lora:
            assert registry[family.lora]["kind"] == "lora"
