"""Patient facts of recorders' headers in the units of `PatientHeader`; what is no plausible fact is left out."""

from __future__ import annotations

from pipeline.records import Sex

SEXES: dict[str, Sex] = {"m": "male", "male": "male", "f": "female", "female": "female"}
YEARS_PER_UNIT: dict[str, float] = {
    **dict.fromkeys(("years", "year", "y", "a"), 1.0),
    **dict.fromkeys(("months", "month", "mo"), 1.0 / 12.0),
    **dict.fromkeys(("weeks", "week", "wk"), 7.0 / 365.25),
    **dict.fromkeys(("days", "day", "d"), 1.0 / 365.25),
    **dict.fromkeys(("hours", "hour", "h"), 1.0 / 8766.0),
}
CM_PER_UNIT: dict[str, float] = {"cm": 1.0, "m": 100.0, "mm": 0.1, "in": 2.54, "inch": 2.54, "[in_i]": 2.54}
KG_PER_UNIT: dict[str, float] = {
    **{"kg": 1.0, "g": 1e-3},
    **dict.fromkeys(("lb", "lbs", "[lb_av]"), 0.45359237),
    **dict.fromkeys(("oz", "[oz_av]"), 0.028349523125),
}
AGE_YEARS = (0.0, 130.0)
HEIGHT_CM = (20.0, 280.0)
WEIGHT_KG = (0.3, 700.0)


def sex_of(text: str) -> Sex | None:
    """male or female where the text says so, in words or by its first letter."""
    return SEXES.get(text.strip().casefold())


def age_years(value: float | None, unit: str) -> float | None:
    """An age in years; None without value or known unit, at 0, and above 130 years."""
    return _converted(value, unit, YEARS_PER_UNIT, AGE_YEARS)


def height_cm(value: float | None, unit: str) -> float | None:
    """A height in cm; None outside 20 to 280 cm."""
    return _converted(value, unit, CM_PER_UNIT, HEIGHT_CM)


def weight_kg(value: float | None, unit: str) -> float | None:
    """A weight in kg; None outside 0.3 to 700 kg."""
    return _converted(value, unit, KG_PER_UNIT, WEIGHT_KG)


def _converted(value: float | None, unit: str, factors: dict[str, float], limits: tuple[float, float]) -> float | None:
    factor = factors.get(unit.strip().casefold())
    if value is None or factor is None:
        return None
    converted = value * factor
    return round(converted, 2) if limits[0] < converted < limits[1] else None
