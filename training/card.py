"""Model cards: what was trained on what, for how long, how well, and what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

from training.checkpoint import Progress


def write_card(
    folder: Path,
    title: str,
    *,
    what: str,
    data: str,
    note: str,
    progress: Progress,
    limits: str,
    command: str,
) -> None:
    """Write README.md and training.json (the same numbers for programs) into a weights folder."""
    scores = "\n".join(f"| {name} | {value} |" for name, value in progress.scores.items())
    text = f"""# {title}

{what}

- **Data**: {data}
- **Compute**: {note}.
- **Made by**: `{command}` (resumable; run it again to train further).
- **Limits**: {limits}
- **Licence**: see `LICENSE_WEIGHTS` at the root of the repository.

Scores on the validation set (seeds that are not trained on; not the benchmark set):

| score | value |
|---|---|
{scores}
"""
    (folder / "README.md").write_text(text)
    record = {"title": title, "steps": progress.step, "samples": progress.samples}
    record |= {"minutes": round(progress.seconds / 60.0, 1), "scores": progress.scores}
    (folder / "training.json").write_text(json.dumps(record, indent=1) + "\n")


def gone_on_from(start: Path | None) -> str:
    """Return what a card's compute adds when the training did not begin with random weights."""
    if start is None:
        return ""
    record = json.loads((start / "training.json").read_text())
    return f", gone on from weights of {record['steps']} steps ({record['title']})"
