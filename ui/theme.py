"""Colours of the dark and the light theme, as data; applied as a palette and a small style sheet.

Hues that carry meaning follow the colour-blind-safe set of Okabe and Ito; meaning never rests on colour alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import resources

if TYPE_CHECKING:
    from PySide6.QtGui import QPalette


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Named colours as #rrggbb; every text colour has at least 4.5:1 against the surfaces it stands on."""

    name: str
    window: str
    surface: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str
    notice: str
    on_notice: str
    paper: str
    paper_minor: str
    paper_major: str
    trace: str
    paper_text: str
    cavity: str
    myocardium: str
    atrium: str
    wave_p: str
    wave_qrs: str
    wave_t: str
    beat_n: str
    beat_s: str
    beat_v: str
    beat_f: str
    beat_q: str
    caliper: str


DARK = Theme(
    name="dark",
    window="#14181d",
    surface="#1b2027",
    raised="#262d36",
    border="#39424e",
    text="#e8ecf0",
    muted="#a3afbc",
    accent="#62b5f0",
    on_accent="#0d1217",
    good="#3fc79a",
    warn="#f2b632",
    bad="#ff8a70",
    notice="#f2b632",
    on_notice="#1d1600",
    paper="#171315",
    paper_minor="#30221f",
    paper_major="#553830",
    trace="#f4f1ea",
    paper_text="#d8cdc6",
    cavity="#56b4e9",
    myocardium="#f0a51e",
    atrium="#b06cff",
    wave_p="#56b4e9",
    wave_qrs="#e6a0c8",
    wave_t="#f0a51e",
    beat_n="#a3afbc",
    beat_s="#56b4e9",
    beat_v="#ff8a70",
    beat_f="#d99ae0",
    beat_q="#d8c95a",
    caliper="#3fc79a",
)

LIGHT = Theme(
    name="light",
    window="#eceff2",
    surface="#ffffff",
    raised="#f4f6f8",
    border="#c3cad2",
    text="#1a2027",
    muted="#505c69",
    accent="#0a63a8",
    on_accent="#ffffff",
    good="#0b6e4f",
    warn="#8a5200",
    bad="#b3321b",
    notice="#f2b632",
    on_notice="#1d1600",
    paper="#fffaf7",
    paper_minor="#f7dcd3",
    paper_major="#eab3a3",
    trace="#101010",
    paper_text="#4a342d",
    cavity="#56b4e9",
    myocardium="#f0a51e",
    atrium="#b06cff",
    wave_p="#0a63a8",
    wave_qrs="#8a2f68",
    wave_t="#8a5200",
    beat_n="#505c69",
    beat_s="#0a63a8",
    beat_v="#b3321b",
    beat_f="#7a3d8f",
    beat_q="#6b5a00",
    caliper="#0b6e4f",
)

THEMES = (DARK, LIGHT)

STATUS_COLOURS = (  # status word -> role of its colour
    ("waiting", "muted"),
    ("pending", "muted"),
    ("running", "accent"),
    ("done", "good"),
    ("ok", "good"),
    ("complete", "good"),
    ("measured", "good"),
    ("scored", "good"),
    ("agree", "good"),
    ("routine", "good"),
    ("restored", "accent"),
    ("cached", "accent"),
    ("edited", "accent"),
    ("suggested", "accent"),
    ("accepted", "good"),
    ("rejected", "bad"),
    ("range", "accent"),
    ("review", "warn"),
    ("note", "warn"),
    ("skipped", "muted"),
    ("withheld", "warn"),
    ("not_checked", "muted"),
    ("degraded", "warn"),
    ("disagree", "warn"),
    ("cancelled", "muted"),
    ("interrupted", "warn"),
    ("paused", "warn"),
    ("unreached", "muted"),
    ("failed", "bad"),
    ("error", "bad"),
    ("urgent", "bad"),
)
STATUS_ICONS = (  # status word -> icon, where the two differ
    ("pending", "waiting"),
    ("ok", "done"),
    ("complete", "done"),
    ("measured", "done"),
    ("scored", "done"),
    ("routine", "done"),
    ("restored", "cached"),
    ("range", "degraded"),
    ("review", "degraded"),
    ("not_checked", "skipped"),
    ("error", "failed"),
    ("accepted", "done"),
    ("rejected", "failed"),
    ("note", "degraded"),
    ("suggested", "degraded"),
)


def status_colour(theme: Theme, status: str) -> str:
    """The colour that goes with a status word."""
    return str(getattr(theme, dict(STATUS_COLOURS).get(status, "muted")))


def status_icon(status: str) -> str:
    """The icon that goes with a status word."""
    return dict(STATUS_ICONS).get(status, status)


def theme_named(name: str) -> Theme:
    """The theme of a name; the dark one for a name that is not known."""
    return next((theme for theme in THEMES if theme.name == name), DARK)


def style_sheet(theme: Theme) -> str:
    """The style sheet with the theme's colours filled in."""
    sheet = resources.path("styles/workstation.qss").read_text(encoding="utf-8")
    for name, colour in sorted(asdict(theme).items(), key=lambda item: -len(item[0])):
        sheet = sheet.replace(f"@{name}", colour)
    return sheet.replace("@chevron", resources.path(f"styles/chevron_{theme.name}.svg").as_posix())


def palette(theme: Theme) -> QPalette:
    """The theme as a Qt palette."""
    from PySide6.QtGui import QColor, QPalette

    role = QPalette.ColorRole
    rows = (
        (role.Window, theme.window),
        (role.WindowText, theme.text),
        (role.Base, theme.surface),
        (role.AlternateBase, theme.raised),
        (role.Text, theme.text),
        (role.Button, theme.raised),
        (role.ButtonText, theme.text),
        (role.BrightText, theme.bad),
        (role.Highlight, theme.accent),
        (role.HighlightedText, theme.on_accent),
        (role.ToolTipBase, theme.raised),
        (role.ToolTipText, theme.text),
        (role.PlaceholderText, theme.muted),
        (role.Link, theme.accent),
        (role.Mid, theme.border),
        (role.Dark, theme.border),
        (role.Light, theme.raised),
        (role.Shadow, theme.window),
    )
    made = QPalette()
    for colour_role, colour in rows:
        made.setColor(colour_role, QColor(colour))
    for colour_role in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, colour_role, QColor(theme.muted))
    return made
