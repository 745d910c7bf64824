"""Reference ranges and the words for where a value falls, each with its source.

A band is a short text that names its scheme: "mildly reduced (ASE/EACVI 2015, men)". Values are judged
as they are shown, rounded half up to whole units, so that a displayed number and its band never
contradict each other. With the sex unknown a band is given only where both tables agree.

Sources
-------
Lang 2015: Lang et al., J Am Soc Echocardiogr 28:1-39, 2015, doi 10.1016/j.echo.2014.10.003.
AHA 2009 III: Surawicz et al., AHA/ACCF/HRS part III (conduction), doi 10.1161/CIRCULATIONAHA.108.191095.
AHA 2009 IV: Rautaharju et al., AHA/ACCF/HRS part IV (ST, T, U, QT), doi 10.1161/CIRCULATIONAHA.108.191096.
Rows listed in CONFIRM were not read again in the source.
"""

from __future__ import annotations

import math

from pipeline.records import Sex

ECHO_SCHEME = "ASE/EACVI 2015"
ECG_SCHEME = "AHA/ACCF/HRS 2009"
RATE_SCHEME = "resting adults, 60-100/min"
PR_SCHEME = "adults, 120-200 ms"

CONFIRM: tuple[tuple[str, str], ...] = (
    ("lvef_band", "mild, moderate and severe reduction: 41-51 / 30-40 / < 30 men, 41-53 / 30-40 / < 30 women"),
    ("pr_band", "PR interval 120-200 ms"),
    ("heart_rate_band", "resting heart rate 60-100/min"),
    ("axis_band", "the name of the sector from 180 over -90 degrees"),
    ("AF_BEATS", "ejection fraction in atrial fibrillation as the mean of at least 5 beats"),
    ("FORESHORTENING_PCT", "A4C and A2C long axes more than 10 % apart"),
    ("LV_LENGTH_MM", "plausible end-diastolic LV length 50-125 mm"),
    ("LV_LENGTH_INDEX_MM_M2", "plausible end-diastolic LV length per body surface 32-68 mm/m2"),
)
"""(constant or function, what it says): rules whose wording was not read again in the source."""

AF_BEATS = 5
"""Beats that a mean ejection fraction needs in atrial fibrillation. Source: Lang 2015 (confirm)."""

FORESHORTENING_PCT = 10.0
"""Difference of the A4C and A2C long axes that suggests foreshortening. Source: Lang 2015 (confirm)."""

WIDE_QRS_MS = 120
"""Bundle-branch-block range from here. Source: AHA 2009 III."""

QTC_HIGH_MS = 500
"""Above: markedly prolonged. Source: AHA 2009 IV."""

LV_LENGTH_MM = (50.0, 125.0)
LV_LENGTH_INDEX_MM_M2 = (32.0, 68.0)
"""Outside: the calibration or the view is doubtful. A plausibility window and no reference range; that the
length follows body surface: Stoylen 2016, doi 10.1136/openhrt-2016-000465 (confirm)."""

_Cuts = tuple[tuple[float, str], ...]  # (from this value on, label), ascending; the first row starts at -inf

_LVEF: dict[Sex, _Cuts] = {
    "male": (
        (-math.inf, "severely reduced"),
        (30, "moderately reduced"),
        (41, "mildly reduced"),
        (52, "normal"),
        (73, "above normal"),
    ),
    "female": (
        (-math.inf, "severely reduced"),
        (30, "moderately reduced"),
        (41, "mildly reduced"),
        (54, "normal"),
        (75, "above normal"),
    ),
}
_NOT_REDUCED = {"normal", "above normal"}
_NORMAL_RANGE: dict[tuple[str, Sex], tuple[float, float]] = {
    ("edv", "male"): (62, 150),
    ("edv", "female"): (46, 106),
    ("esv", "male"): (21, 61),
    ("esv", "female"): (14, 42),
    ("edv_index", "male"): (34, 74),
    ("edv_index", "female"): (29, 61),
    ("esv_index", "male"): (11, 31),
    ("esv_index", "female"): (8, 24),
    ("lvidd", "male"): (42, 58),
    ("lvidd", "female"): (38, 52),
}
_LA_INDEX: _Cuts = (
    (-math.inf, "below normal"),
    (16, "normal"),
    (35, "mildly enlarged"),
    (42, "moderately enlarged"),
    (49, "severely enlarged"),
)
_QTC: dict[Sex, _Cuts] = {
    "male": ((-math.inf, "short"), (391, "normal"), (450, "prolonged"), (501, "markedly prolonged")),
    "female": ((-math.inf, "short"), (391, "normal"), (460, "prolonged"), (501, "markedly prolonged")),
}
_QRS: _Cuts = (
    (-math.inf, "normal"),
    (111, "slightly wide"),
    (WIDE_QRS_MS, "wide, bundle-branch-block range"),
)
_PR: _Cuts = ((-math.inf, "short"), (120, "normal"), (201, "prolonged"))
_RATE: _Cuts = ((-math.inf, "slow"), (60, "normal"), (101, "fast"))


def shown(value: float) -> int:
    """The whole number under which a value is shown and judged: rounded half up."""
    return math.floor(value + 0.5)


def lvef_band(value_pct: float, interval: tuple[float, float] | None, sex: Sex | None) -> str | None:
    """Class of a left ventricular ejection fraction.

    Parameters
    ----------
    value_pct : float
        Ejection fraction in percent.
    interval : (float, float) or None
        Its uncertainty in percent; None judges the value alone.
    sex : "male", "female" or None

    Returns
    -------
    str or None
        None when the interval crosses a cut-off, or the sex is unknown and the two tables disagree; only
        between "normal" and "above normal" the text is "not reduced", as far as all possibilities agree.

    Source: Lang 2015, table 4 (grades of reduction: see CONFIRM).
    """
    points = (value_pct, *(interval or ()))
    if not all(map(math.isfinite, points)):
        return None
    labels = {_label(_LVEF[table], p) for table in _tables(sex) for p in points}
    return _agreed({"not reduced"} if labels == _NOT_REDUCED else labels, ECHO_SCHEME, sex)


def volume_band(name: str, value: float, sex: Sex | None, bsa_m2: float | None = None) -> str | None:
    """Whether a left ventricular volume lies in its reference range.

    Parameters
    ----------
    name : "edv", "esv" (mL), "edv_index" or "esv_index" (mL/m2)
    value : float
        In the unit of `name`.
    sex : "male", "female" or None
    bsa_m2 : float, optional
        With it the absolute volumes are judged by their index, as the source recommends.

    Returns
    -------
    str or None
        "below normal", "normal" or "above normal" with the scheme; None for an unknown name, a value that
        is not finite, or an unknown sex where the two tables disagree.

    Source: Lang 2015, table 2.
    """
    if bsa_m2 is not None and bsa_m2 > 0 and name in ("edv", "esv"):
        return _range_band(f"{name}_index", value / bsa_m2, sex, f"{ECHO_SCHEME}, by body surface")
    return _range_band(name, value, sex, ECHO_SCHEME)


def lv_dimension_band(value_mm: float, sex: Sex | None) -> str | None:
    """Whether the end-diastolic internal diameter (mm) lies in its reference range. Source: Lang 2015."""
    return _range_band("lvidd", value_mm, sex, ECHO_SCHEME)


def la_volume_index_band(value_ml_m2: float) -> str | None:
    """Grade of the left atrial volume index (mL/m2); None when not finite. Source: Lang 2015."""
    return _cut_band(_LA_INDEX, value_ml_m2, ECHO_SCHEME)


def qtc_band(value_ms: float, sex: Sex | None) -> str | None:
    """Class of a corrected QT interval (ms); None when not finite or the sexes' limits disagree.

    Prolonged from 450 (men) or 460 (women), markedly above 500, short up to 390. Source: AHA 2009 IV.
    """
    if not math.isfinite(value_ms):
        return None
    return _agreed({_label(_QTC[table], value_ms) for table in _tables(sex)}, ECG_SCHEME, sex)


def qrs_band(value_ms: float) -> str | None:
    """Class of a QRS duration (ms): normal up to 110, wide from 120. Source: AHA 2009 III."""
    return _cut_band(_QRS, value_ms, ECG_SCHEME)


def pr_band(value_ms: float) -> str | None:
    """Class of a PR interval (ms). Source: see CONFIRM."""
    return _cut_band(_PR, value_ms, PR_SCHEME)


def heart_rate_band(value_bpm: float) -> str | None:
    """Class of a resting heart rate (1/min). Source: see CONFIRM."""
    return _cut_band(_RATE, value_bpm, RATE_SCHEME)


def axis_band(value_deg: float) -> str | None:
    """Class of a frontal QRS axis (degrees, any turn); None when not finite. Source: AHA 2009 III."""
    if not math.isfinite(value_deg):
        return None
    turned = (shown(value_deg) + 179) % 360 - 179  # into -179 .. 180
    if -30 <= turned <= 90:
        label = "normal"
    elif turned > 90:
        label = "right axis"
    elif turned >= -90:
        label = "left axis"
    else:
        label = "extreme axis"
    return f"{label} ({ECG_SCHEME})"


def _tables(sex: Sex | None) -> tuple[Sex, ...]:
    return ("male", "female") if sex is None else (sex,)


def _people(sex: Sex | None) -> str:
    return {"male": "men", "female": "women", None: "men and women"}[sex]


def _label(cuts: _Cuts, value: float) -> str:
    whole = shown(value)
    return [label for start, label in cuts if whole >= start][-1]


def _agreed(labels: set[str], scheme: str, sex: Sex | None) -> str | None:
    return f"{labels.pop()} ({scheme}, {_people(sex)})" if len(labels) == 1 else None


def _cut_band(cuts: _Cuts, value: float, scheme: str) -> str | None:
    return f"{_label(cuts, value)} ({scheme})" if math.isfinite(value) else None


def _range_band(name: str, value: float, sex: Sex | None, scheme: str) -> str | None:
    if (name, "male") not in _NORMAL_RANGE or not math.isfinite(value):
        return None
    labels = set()
    for table in _tables(sex):
        low, high = _NORMAL_RANGE[name, table]
        cuts = ((-math.inf, "below normal"), (low, "normal"), (high + 1, "above normal"))
        labels.add(_label(cuts, value))
    return _agreed(labels, scheme, sex)
