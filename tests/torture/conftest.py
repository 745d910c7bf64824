"""How far the torture goes, and the table that it leaves.

The default suite runs a small part of everything here. CHORDAE_TORTURE_N=100 (`make torture`) runs the
numbers that are promised, another value that share of them in per cent. CHORDAE_TORTURE_TABLE names a folder
for the table of promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.torture import promises
from tests.torture.study import Study, make_study
from tests.torture.zygote import Zygote


@pytest.fixture
def promise() -> promises.Record:
    return promises.record


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """One process with everything imported, that forks a child for each run."""
    with Zygote() as started:
        yield started


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Callable[[str], Study]:
    """A small real study by its mix of modalities, with the result of an undisturbed run."""
    made: dict[str, Study] = {}

    def give(mix: str) -> Study:
        if mix not in made:
            made[mix] = make_study(tmp_path_factory.mktemp(mix), mix, zygote)
        return made[mix]

    return give
