"""One monotonic clock over the recorded frame times."""

from __future__ import annotations

import numpy as np
import pytest

from ui.playback import Playback


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def playback(clock: Clock) -> Playback:
    made = Playback(clock)
    made.load(np.array([0.0, 0.1, 0.3, 0.4]))  # a frame time vector of unequal steps
    return made


def test_frame_follows_recorded_times_not_a_count(playback: Playback, clock: Clock):
    playback.play()
    shown = []
    for later in (0.05, 0.15, 0.29, 0.31, 0.45):
        clock.now = 100.0 + later
        shown.append(playback.frame_idx())
    assert shown == [0, 1, 1, 2, 3]


def test_loops_and_pauses(playback: Playback, clock: Clock):
    playback.play()
    clock.now += 0.5 + 0.05  # the clip lasts 0.4 s and one median step
    assert playback.frame_idx() == 0
    clock.now += 0.1
    playback.pause()
    clock.now += 10
    assert playback.frame_idx() == 1


def test_speed_changes_without_a_jump(playback: Playback, clock: Clock):
    playback.play()
    clock.now += 0.2
    before = playback.position_s()
    playback.set_speed(0.5)
    assert playback.position_s() == pytest.approx(before)
    clock.now += 0.2
    assert playback.position_s() == pytest.approx(before + 0.1)


def test_rates(playback: Playback, clock: Clock):
    assert playback.acquired_hz == pytest.approx(4 / 0.5)
    playback.play()
    assert playback.shown_hz is None
    for _ in range(10):
        clock.now += 0.05
        playback.note_shown()
    assert playback.shown_hz == pytest.approx(20.0)


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.0, 0.0], [0.0, 0.2, 0.1], [0.0, np.nan, 0.2], []])
def test_times_that_do_not_grow_are_not_played(playback: Playback, times: list[float]):
    playback.load(np.array(times))
    playback.play()
    assert not playback.can_play
    assert not playback.is_playing
    assert playback.acquired_hz is None
    assert playback.frame_idx() == 0


def test_seek_stays_inside(playback: Playback):
    playback.seek(99)
    assert playback.frame_idx() == 3
    playback.seek(-5)
    assert playback.frame_idx() == 0
