"""Where the samples of a strip come from: memory, or a file that is read in tiles as they come into sight. No Qt."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

import numpy as np

from pipeline.records import Array, PreparedEcg

TILE_S = 30
MOST_TILES = 120  # an hour: some tens of megabytes


class EcgSamples(Protocol):
    """Filtered samples in mV, by position in the record."""

    rate_hz: float
    n_samples: int
    n_leads: int

    def stretch(self, lead_idx: int, first: int, end: int) -> Array:
        """Float (end - first,), NaN where the samples are not there, or not yet."""
        ...


class KeptSamples:
    """All samples are in memory."""

    def __init__(self, ecg: PreparedEcg) -> None:
        self._signal_mv = ecg.filtered_mv
        self.rate_hz = ecg.record.sampling_rate_hz
        self.n_leads, self.n_samples = ecg.filtered_mv.shape

    def stretch(self, lead_idx: int, first: int, end: int) -> Array:
        """See `EcgSamples`."""
        return np.asarray(self._signal_mv[lead_idx, max(0, first) : max(0, end)])


class TiledSamples:
    """The beginning is in memory, the rest comes tile by tile; the least recently seen tiles are given up."""

    def __init__(self, ecg: PreparedEcg) -> None:
        assert ecg.overview is not None
        self._beginning_mv = ecg.filtered_mv
        self.rate_hz = ecg.record.sampling_rate_hz
        self.n_leads = ecg.filtered_mv.shape[0]
        self.n_samples = ecg.overview.n_samples
        self._size = max(1, round(TILE_S * self.rate_hz))
        self._tiles: OrderedDict[int, Array] = OrderedDict()
        self._wanted: set[int] = set()

    def stretch(self, lead_idx: int, first: int, end: int) -> Array:
        """See `EcgSamples`; tiles that are missing are noted as wanted."""
        first, end = max(0, first), min(end, self.n_samples)
        n_kept = self._beginning_mv.shape[1]
        if end <= n_kept:
            return np.asarray(self._beginning_mv[lead_idx, first:end])
        made = np.full(max(0, end - first), np.nan, np.float32)
        if first < n_kept:
            made[: n_kept - first] = self._beginning_mv[lead_idx, first:]
        for number in range(max(first, n_kept) // self._size, -(-end // self._size)):
            tile = self._tiles.get(number)
            if tile is None:
                self._wanted.add(number)
                continue
            self._tiles.move_to_end(number)
            start = max(first, n_kept, number * self._size)
            stop = min(end, number * self._size + tile.shape[1])
            if start < stop:
                offset = number * self._size
                made[start - first : stop - first] = tile[lead_idx, start - offset : stop - offset]
        return made

    def take_wishes(self) -> tuple[int, ...]:
        """Numbers of the tiles that were looked for and not there, in order; asking forgets them."""
        wanted = tuple(sorted(self._wanted))
        self._wanted.clear()
        return wanted

    def bounds(self, number: int) -> tuple[int, int]:
        """(first, end) sample of a tile."""
        return number * self._size, min((number + 1) * self._size, self.n_samples)

    def lacks(self, number: int) -> bool:
        """Whether a tile lies in the record and is not there."""
        first, end = self.bounds(number)
        return first >= 0 and first < end and end > self._beginning_mv.shape[1] and number not in self._tiles

    def put(self, number: int, tile_mv: Array) -> None:
        """Take a tile, float (n_leads, n_samples)."""
        self._tiles[number] = tile_mv
        while len(self._tiles) > MOST_TILES:
            self._tiles.popitem(last=False)


def samples_of(ecg: PreparedEcg) -> KeptSamples | TiledSamples:
    """The samples of a record, long or not."""
    return KeptSamples(ecg) if ecg.overview is None else TiledSamples(ecg)
