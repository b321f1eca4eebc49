"""The pipeline benchmark: one part can be measured again and the other keeps its numbers."""

import json

from benchmarks import pipeline


def test_a_part_measured_alone_leaves_the_other_as_it_was(tmp_path, monkeypatch, capsys):
    out = tmp_path / "pipeline.json"
    monkeypatch.setattr(pipeline, "measure", lambda count: {"assets": count})
    monkeypatch.setattr(pipeline, "measure_example", lambda: {"full": 1})
    pipeline.main(["--assets", "2", "3", "--out", str(out)])
    monkeypatch.setattr(pipeline, "measure_example", lambda: {"full": 2})
    pipeline.main(["--only", "example", "--out", str(out)])
    content = json.loads(out.read_text())
    assert content["standin"] == [{"assets": 2}, {"assets": 3}]
    assert content["example"] == {"full": 2}
    assert content["machine"]["cores"] >= 1


def test_a_scratch_project_has_all_that_the_stages_read(tmp_path):
    root = tmp_path / "project"
    pipeline.standin_project(root, 2)
    assert (root / "configs/assets.yaml").read_text().count("prompt:") == 2
    assert "profile: standin" in (root / "configs/pipeline.yaml").read_text()
    assert "stages.inputs" not in (root / "dvc.yaml").read_text()
    assert not list(root.rglob("*.safetensors"))
