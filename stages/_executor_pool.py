"""A pool of workers that may die: one item each at a time, and what a dead one had is done again.

It knows nothing of Ray: `_executor_ray` says how workers are started and asked, and a test may
use workers that are plain objects.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from assets3d.errors import AssetError, InputError
from stages._executor import Outcome, Work
from stages._failures import Failure, from_exception


class WorkerLost(Exception):
    """A worker is gone, or its whole machine: what it was doing is not done."""


class Workers(Protocol):
    """How a pool talks to its workers; a ticket stands for an answer that will come."""

    def start(self) -> tuple[Any, Hashable]:
        """Start a worker; return it, and the ticket of its being ready."""
        ...

    def give(self, worker: Any, work: Work) -> Hashable:
        """Give a worker an item; return the ticket."""
        ...

    def wait(self, tickets: Sequence[Hashable], *, working: bool) -> Hashable:
        """Wait for the first answer; `working` says whether any item is being built.

        Raises:
            InputError: nothing is being built, and no worker comes.
        """
        ...

    def ready(self, ticket: Hashable) -> None:
        """Take the answer of a worker that was started.

        Raises:
            WorkerLost: it died.
            InputError: it cannot do the work, for instance does not see the store.
        """
        ...

    def answer(self, ticket: Hashable, work: Work) -> Failure | None:
        """Take the answer to an item, which is in the store when this returns None.

        Raises:
            WorkerLost: the worker died before it was done.
        """
        ...

    def stop(self, worker: Any) -> None:
        """End a worker, whatever it is doing."""
        ...


@dataclass(frozen=True)
class _Attempt:
    work: Work
    earlier: int = 0

    def again(self) -> _Attempt:
        return _Attempt(self.work, self.earlier + 1)


class Pool:
    """Items of one step over workers.

    Args:
        step: its name.
        workers: how to talk to them.
        size: how many there are at most.
        retries: how often an item is tried again whose worker died, or whose failure may pass.
    """

    def __init__(self, step: str, workers: Workers, size: int, retries: int) -> None:
        self.step, self.workers, self.size, self.retries = step, workers, size, retries
        self._waiting: deque[_Attempt] = deque()
        #: ticket -> the worker, and its item, or None while it starts.
        self._doing: dict[Hashable, tuple[Any, _Attempt | None]] = {}
        self._idle: list[Any] = []
        self._lost_starts = 0

    def run(self, work: Sequence[Work]) -> Iterator[Outcome]:
        """Yield one outcome per piece of work, in the order in which they end.

        Raises:
            InputError: workers cannot be started, or cannot do the work.
        """
        self._waiting.extend(_Attempt(one) for one in work)
        try:
            while self._waiting or self._working():
                yield from self._feed()
                if not self._doing:
                    continue
                ticket = self.workers.wait(list(self._doing), working=self._working())
                worker, attempt = self._doing.pop(ticket)
                if attempt is None:
                    self._greet(worker, ticket)
                else:
                    outcome = self._take(worker, ticket, attempt)
                    if outcome is not None:
                        yield outcome
        finally:
            for worker in [*self._idle, *(worker for worker, _ in self._doing.values())]:
                self.workers.stop(worker)

    def _working(self) -> bool:
        return any(attempt is not None for _, attempt in self._doing.values())

    def _feed(self) -> Iterator[Outcome]:
        """Give idle workers items, and start workers for the items that are left."""
        while self._idle and self._waiting:
            attempt, worker = self._waiting.popleft(), self._idle.pop()
            try:
                ticket = self.workers.give(worker, attempt.work)
            except (AssetError, OSError) as error:
                # What is given may have to be written somewhere first.
                self._idle.append(worker)
                yield Outcome(attempt.work, from_exception(attempt.work.asset, self.step, error))
                continue
            self._doing[ticket] = (worker, attempt)
        starting = sum(1 for _, attempt in self._doing.values() if attempt is None)
        room = self.size - len(self._doing)
        for _ in range(min(room, len(self._waiting) - starting)):
            worker, ticket = self.workers.start()
            self._doing[ticket] = (worker, None)

    def _greet(self, worker: Any, ticket: Hashable) -> None:
        try:
            self.workers.ready(ticket)
        except WorkerLost as error:
            self.workers.stop(worker)
            self._lost_starts += 1
            if self._lost_starts > self.size + self.retries:
                raise InputError(f"workers die before they can begin: {error}") from None
        except BaseException:
            self.workers.stop(worker)
            raise
        else:
            self._lost_starts = 0
            self._idle.append(worker)

    def _take(self, worker: Any, ticket: Hashable, attempt: _Attempt) -> Outcome | None:
        """Return an item's outcome, or None where it is tried again."""
        work = attempt.work
        try:
            failure = self.workers.answer(ticket, work)
        except WorkerLost:
            self.workers.stop(worker)
            times = attempt.earlier + 1
            words = f"its worker died (memory? the machine?), {times} tried, will be tried again"
            failure = Failure(work.asset, self.step, "passing", words)
        except (AssetError, OSError) as error:
            self._idle.append(worker)
            failure = from_exception(work.asset, self.step, error)
        except BaseException:
            self.workers.stop(worker)
            raise
        else:
            self._idle.append(worker)
        if failure is not None and failure.cause == "passing" and attempt.earlier < self.retries:
            # Behind the others, who may be luckier, and by then perhaps on another machine.
            self._waiting.append(attempt.again())
            return None
        return Outcome(work, failure)
