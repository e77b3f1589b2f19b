"""A stage of a pipeline: pieces worked on in their order, in a thread of their own.

    receive, hash   --pieces of the blob-->   inflate   --pieces of the tar-->   hash, read headers

Hashing and inflating let Python's other threads run, so that stages keep several processors busy. At most WAITING pieces
are between them: a slow stage slows the one before it, and memory stays small.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

WAITING = 4


class ThreadStage:
    """`feed` it pieces, then `finish`; `close` in any case. What the work raises, the next call raises."""

    def __init__(self, work: Callable[[bytes], object]) -> None:
        self._work = work
        self._thread = ThreadPoolExecutor(1)
        self._due: deque[Future[object]] = deque()

    def feed(self, piece: bytes) -> None:
        """One more piece; waits while too many are waiting."""
        self._due.append(self._thread.submit(self._work, piece))
        if len(self._due) > WAITING:
            self._due.popleft().result()

    def finish(self) -> None:
        """Wait until every piece has been worked on."""
        while self._due:
            self._due.popleft().result()

    def close(self) -> None:
        """End the thread; pieces not begun with are dropped."""
        self._thread.shutdown(cancel_futures=True)
