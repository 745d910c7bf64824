"""What the user says of a clip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.echo.clip_facts import GIVEN, with_facts
from pipeline.errors import InputError
from pipeline.records import Calibration, ClipFacts, EchoClip

NONE = Calibration(spacing_mm=None, method="none", reason="A video file holds no pixel size.")
KNOWN = Calibration(spacing_mm=(0.5, 0.4), method="ultrasound region")


def clip(calibration: Calibration = NONE, view: str | None = None) -> EchoClip:
    return EchoClip(
        frames=np.zeros((2, 64, 64), np.uint8),
        frame_times_s=np.arange(2) / 30,
        calibration=calibration,
        region_px=None,
        view=view,
    )


def test_nothing_said_changes_nothing() -> None:
    given = clip()
    assert with_facts(given, None) is given
    assert with_facts(given, ClipFacts()).calibration is NONE


@pytest.mark.parametrize(("header", "codes"), [(None, []), ("A2C", []), ("A4C", ["W_VIEW_OVERRULED"])])
def test_the_users_view_stands_above_the_headers(header: str | None, codes: list[str]) -> None:
    found = with_facts(clip(view=header), ClipFacts(view="A2C"))
    assert found.view == "A2C"
    assert [remark.code for remark in found.remarks] == codes


def test_a_pixel_size_calibrates_only_what_is_not_calibrated() -> None:
    found = with_facts(clip(), ClipFacts(pixel_mm=0.31))
    assert found.calibration == Calibration(spacing_mm=(0.31, 0.31), method=GIVEN)
    kept = with_facts(clip(KNOWN), ClipFacts(pixel_mm=0.31))
    assert kept.calibration is KNOWN
    assert [remark.code for remark in kept.remarks] == ["W_PIXEL_NOT_USED"]


@pytest.mark.parametrize("facts", [{"view": "PLAX"}, {"pixel_mm": 0.0}, {"pixel_mm": float("nan")}, {"pixel_mm": 80.0}])
def test_what_cannot_be_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        with_facts(clip(), ClipFacts(**facts))
