"""Warnings that the library logs while an item is built become the item's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from stages._keys import LIBRARY


class _Collect(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        line = " ".join(record.getMessage().split())
        if line not in self.lines:
            self.lines.append(line)


@contextmanager
def logged_warnings() -> Iterator[list[str]]:
    """Collect what the library warns of, each text once, instead of letting it pass to the log."""
    lines: list[str] = []
    handler = _Collect(lines)
    loggers = [logging.getLogger(name) for name in LIBRARY]
    passed_on = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield lines
    finally:
        for logger, propagate in zip(loggers, passed_on, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate
