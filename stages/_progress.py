"""What a person sees while a stage runs: a bar on a terminal, lines elsewhere, warnings at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence

from stages._candidates import asset_of, number_of
from stages._executor import Outcome, Work
from stages._failures import Failure

#: Where there is no terminal: no line more often than this.
_BETWEEN_LINES_S = 5.0
#: From how many assets on one and the same message is one line.
_TOGETHER = 3


def say(line: str) -> None:
    """Write one line for the person who watches; standard error, as progress bars do."""
    if "tqdm" in sys.modules:  # a bar that is being drawn moves out of the way
        sys.modules["tqdm"].tqdm.write(line, file=sys.stderr)
    else:
        sys.stderr.write(line + "\n")
    sys.stderr.flush()


def with_progress(
    step: str, outcomes: Iterable[Outcome], work: Sequence[Work]
) -> Iterable[Outcome]:
    """Pass the outcomes through, and show how far the step is."""
    if not work:
        return ()
    if sys.stderr.isatty():
        from tqdm import tqdm

        return tqdm(outcomes, desc=step, total=len(work), unit="asset", delay=2)
    return _with_lines(step, outcomes, len(work))


def _with_lines(step: str, outcomes: Iterable[Outcome], total: int) -> Iterator[Outcome]:
    began = last = time.monotonic()
    for number, outcome in enumerate(outcomes, 1):
        now = time.monotonic()
        if now - last >= _BETWEEN_LINES_S and number < total:
            left = time_left((now - began) / number * (total - number))
            say(f"{step}: {number} of {total}, {outcome.work.asset}, about {left} left")
            last = now
        yield outcome


def time_left(seconds: float) -> str:
    """Return a time as a person says it: no finer than it is known."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    return f"{round(minutes)} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def failure_lines(failures: Sequence[Failure]) -> list[str]:
    """Return a line per failure; many assets with one and the same message share a line."""
    by_message: dict[tuple[str, str], dict[str, list[int]]] = {}
    for failure in failures:
        candidates = by_message.setdefault((failure.step, failure.message), {})
        number = number_of(failure.asset)
        candidates.setdefault(asset_of(failure.asset), []).extend([number] if number else [])
    lines = []
    for (step, message), of in by_message.items():
        assets = [_with_candidates(name, numbers) for name, numbers in of.items()]
        if len(assets) < _TOGETHER:
            lines += [f"{asset}: {step}: {message}" for asset in assets]
        else:
            names = f"{', '.join(assets[:_TOGETHER])} ..." if len(assets) > _TOGETHER else ""
            names = names or ", ".join(assets)
            lines.append(f"{len(assets)} assets ({names}): {step}: {message}")
    return lines


def _with_candidates(asset: str, numbers: Sequence[int]) -> str:
    """Name an asset, and which of its candidates are meant where it has any."""
    if len(numbers) < 2:
        return "".join([asset, *(f" candidate {number}" for number in numbers)])
    return f"{asset} candidates {', '.join(map(str, numbers))}"
