"""A Hub of our own, an empty cache, and nothing of the person's."""

import pytest

from tests.models.fake_hub import FakeHub, running


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Return a running fake Hub; huggingface_hub asks it and caches below tmp_path."""
    from huggingface_hub import constants

    cache = tmp_path / "hub-cache"
    for name, value in {
        "HF_HUB_CACHE": str(cache),
        "HF_HUB_OFFLINE": False,
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_ETAG_TIMEOUT": 5,
        "HF_HUB_DOWNLOAD_TIMEOUT": 5,
    }.items():
        monkeypatch.setattr(constants, name, value)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = FakeHub()
    with running(made) as url:
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
        )
        yield made
