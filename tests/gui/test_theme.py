"""Both themes are readable."""

from __future__ import annotations

import numpy as np
import pytest

from ui.run_progress import StepStatus
from ui.theme import STATUS_COLOURS, THEMES, Theme, status_icon, style_sheet, theme_named

TEXT_ON = (
    ("text", "window"), ("text", "surface"), ("text", "raised"), ("muted", "window"), ("muted", "surface"),
    ("muted", "raised"), ("on_accent", "accent"), ("on_notice", "notice"), ("good", "surface"), ("good", "raised"),
    ("warn", "surface"), ("warn", "raised"), ("bad", "surface"), ("bad", "raised"), ("accent", "surface"),
    ("accent", "raised"), ("trace", "paper"), ("paper_text", "paper"), ("warn", "paper"), ("accent", "paper"),
    ("wave_p", "paper"), ("wave_qrs", "paper"), ("wave_t", "paper"), ("beat_n", "paper"), ("beat_s", "paper"),
    ("beat_v", "paper"), ("beat_f", "paper"), ("beat_q", "paper"), ("caliper", "paper"),
)  # fmt: skip


def luminance(colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_contrast(theme: Theme, text: str, ground: str):
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_contours_stand_out_on_the_picture(theme: Theme):
    for role in ("cavity", "myocardium", "atrium"):
        assert contrast(getattr(theme, role), "#000000") >= 4.5


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_style_sheet_is_filled_in(theme: Theme):
    assert "@" not in style_sheet(theme)


def test_every_status_has_an_icon_and_a_colour():
    import resources

    for status in {*dict(STATUS_COLOURS), *StepStatus.__args__}:
        assert status in dict(STATUS_COLOURS)
        assert resources.path(f"icons/{status_icon(status)}.svg").stat().st_size > 0


def test_statuses_are_told_apart_without_colour():
    icons = [status_icon(s) for s in ("ok", "degraded", "failed", "skipped", "cached", "running", "pending")]
    assert len(set(icons)) == len(icons)


def test_unknown_theme_is_the_dark_one():
    assert theme_named("pink").name == "dark"


def linear_rgb(colour: str) -> np.ndarray:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Source: CIE 1976 L*a*b*, white D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


VISIONS = (  # Source: Machado et al. 2009, doi 10.1109/TVCG.2009.113, severity 1.0
    ("usual", np.eye(3)),
    ("protanopia", [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
    ("deuteranopia", [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
    ("tritanopia", [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]),
)


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
@pytest.mark.parametrize(("vision", "matrix"), VISIONS, ids=[name for name, _ in VISIONS])
def test_contours_are_told_apart_from_each_other_and_from_tissue(theme: Theme, vision: str, matrix):
    """A distance of 20 in L*a*b* is seen at a glance; grey tissue stands for the picture."""
    colours = [theme.cavity, theme.myocardium, theme.atrium, "#a0a0a0"]
    seen = [lab(np.asarray(matrix) @ linear_rgb(colour)) for colour in colours]
    gaps = [float(np.linalg.norm(a - b)) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(gaps) >= 20, (vision, gaps)
