"""What the user says of a clip: its view above the header's, and a pixel size where the file has none."""

from __future__ import annotations

import math
from dataclasses import replace

from pipeline.echo.calibration import DELTA_CM, MM_PER_CM
from pipeline.errors import InputError
from pipeline.records import Calibration, ClipFacts, EchoClip, Remark

VIEWS = ("A4C", "A2C")
PIXEL_MM = (DELTA_CM[0] * MM_PER_CM, DELTA_CM[1] * MM_PER_CM)
GIVEN = "pixel size given by the user"
OTHER_VIEW = Remark(
    code="W_VIEW_OVERRULED", text="The user names another view than the file does; the user's is taken."
)
PIXEL_NOT_USED = Remark(
    code="W_PIXEL_NOT_USED", text="The file states its own pixel size; the one given by the user is not used."
)


def with_facts(clip: EchoClip, facts: ClipFacts | None) -> EchoClip:
    """The clip with what the user says of it.

    Raises
    ------
    InputError
        E_INPUT_UNSUPPORTED for a view that is not measured or a pixel size that is not plausible.
    """
    if facts is None:
        return clip
    require_plausible(facts)
    remarks = clip.remarks
    if facts.view is not None and clip.view not in (None, facts.view):
        remarks += (OTHER_VIEW,)
    calibration = clip.calibration
    if facts.pixel_mm is not None and calibration.spacing_mm is None:
        calibration = Calibration(spacing_mm=(facts.pixel_mm, facts.pixel_mm), method=GIVEN)
    elif facts.pixel_mm is not None:
        remarks += (PIXEL_NOT_USED,)
    return replace(clip, view=facts.view or clip.view, calibration=calibration, remarks=remarks)


def require_plausible(facts: ClipFacts) -> None:
    """Refuse a view or a pixel size that cannot be; raises InputError."""
    if facts.view not in (None, *VIEWS):
        raise InputError(f"A view can be {' or '.join(VIEWS)}.", code="E_INPUT_UNSUPPORTED")
    size = facts.pixel_mm
    if size is not None and not (math.isfinite(size) and PIXEL_MM[0] <= size <= PIXEL_MM[1]):
        text = f"A pixel's size can be {PIXEL_MM[0]:g} to {PIXEL_MM[1]:g} mm."
        raise InputError(text, code="E_INPUT_UNSUPPORTED")
