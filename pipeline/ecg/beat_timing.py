"""The timing of every beat against the rhythm around it."""

from __future__ import annotations

import numpy as np

from pipeline.ecg.fibrillation import rr_irregularity
from pipeline.ecg.waves import running_median
from pipeline.records import Array

_WINDOW, _LONG_WINDOW = 25, 201  # beats that make up the usual RR: the long one outlasts a run of fast beats
_NEAR = 5
_RUN = 9  # beats around this one that tell whether it belongs to a run
_RR_RANGE_S = (0.2, 3.0)
_ON_TIME = (0.88, 1.25)  # RR over the usual RR of beats that may make up a template
_LEAST_FOR_PATTERN = 7

TIMING_FEATURES = (
    "pre",  # ln of RR before over the usual RR; all timing features are logarithms of ratios unless said otherwise
    "post",
    "pre_over_post",
    "pre_over_earlier",
    "after_next",
    "pair",  # RR before and after together over twice the usual RR: 0 for a full compensatory pause
    "near",  # RR before over the shortest of the five RR before
    "irregularity",  # median |pre| around the beat
    "patternless",  # change of RR that does not repeat, as a share of the usual RR
    "usual_rr",  # s
    "pre_long",  # RR before and after over the usual RR of several minutes
    "post_long",
    "run_long",  # median pre_long of the beats around: negative inside a fast run
    "steady",  # median change from one RR to the next around the beat, as a share of the usual RR
)


def timing_features(peaks: Array, sampling_rate_hz: float) -> dict[str, Array]:
    """Timing of every beat, one float64 (n_beats,) for every name of `TIMING_FEATURES`.

    `peaks` is int (n_beats,), ascending. With fewer than three beats nothing is early or late.
    """
    if peaks.size < 3:
        return {name: np.full(peaks.size, 0.8 if name == "usual_rr" else 0.0) for name in TIMING_FEATURES}
    rr_s = np.clip(np.diff(peaks) / sampling_rate_hz, *_RR_RANGE_S)
    before = np.concatenate([[np.median(rr_s[:_NEAR])], rr_s])
    after = np.concatenate([rr_s, [np.median(rr_s[-_NEAR:])]])
    usual = running_median(before, _WINDOW)
    pre, post = np.log(before / usual), np.log(after / usual)
    usual_long = running_median(before, _LONG_WINDOW)
    pre_long = np.log(before / usual_long)
    change = np.abs(np.diff(before, prepend=before[:1])) / usual
    patternless = rr_irregularity(peaks, sampling_rate_hz) if peaks.size >= _LEAST_FOR_PATTERN else np.zeros(peaks.size)
    earlier = np.concatenate([before[:1], before[:-1]])
    padded = np.concatenate([np.full(_NEAR, before[0]), before])
    shortest = np.min([padded[_NEAR - k : padded.size - k] for k in range(1, _NEAR + 1)], axis=0)
    return {
        "pre": pre,
        "post": post,
        "pre_over_post": pre - post,
        "pre_over_earlier": np.log(before / earlier),
        "after_next": np.concatenate([post[1:], post[-1:]]),
        "pair": np.log(0.5 * (before + after) / usual),
        "near": np.log(before / shortest),
        "irregularity": running_median(np.abs(pre), _WINDOW),
        "patternless": patternless,
        "usual_rr": usual,
        "pre_long": pre_long,
        "post_long": np.log(after / usual_long),
        "run_long": running_median(pre_long, _RUN),
        "steady": running_median(change, _RUN),
    }


def on_time(timing: dict[str, Array]) -> Array:
    """Bool (n_beats,): neither early nor after a pause."""
    return np.asarray((timing["pre"] > np.log(_ON_TIME[0])) & (timing["pre"] < np.log(_ON_TIME[1])))
