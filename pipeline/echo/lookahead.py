"""Work on the coming batches of a clip while the present one is being finished.

The network leaves the interpreter's lock for most of its time. So many small networks side by side, one thread
each, fill the cores better than one network whose layers are cut into pieces, and contours are drawn meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
MOST_WORKERS = 4
"""Each holds a batch of its own in memory."""


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, begin: Callable[[], object]
) -> Iterator[Result]:
    """Results of `work` in the order of the items, computed by some threads, at most MOST_WORKERS.

    At most one item a thread and one more are worked on ahead, so that memory stays bounded. Each thread calls
    `begin` first; a single one is the caller's own, without it. An error of an item is raised where its result was
    due; when the caller stops, what was begun is finished and dropped.
    """
    workers = min(threads, MOST_WORKERS)
    if workers <= 1:
        yield from map(work, items)
        return
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, "chambers", initializer=begin)
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
