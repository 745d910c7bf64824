"""Why a measure is what it is: method, frames, reader's changes, cross-checks, rules and scores. Knows no Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records import StudyResults
from ui.findings import CHECK_LABELS
from ui.view_state import CaseView
from ui.wording import interval_text, local_time, number, status_word, value_text

CHECKS: Mapping[str, tuple[str, ...]] = {
    "heart_rate": ("heart_rate", "echo_heart_rate"),
    "beat_count": ("heart_rate", "echo_heart_rate"),
    "af_ef_averaging": ("lvef", "lvef_a4c", "lvef_a2c"),
    "wide_qrs_dyssynchrony": ("qrs", "wmsi", "gls"),
    "lv_length_bsa": ("lv_length_ed", "lv_length_es", "edv", "esv", "sv", "edv_index", "esv_index"),
}
"""Cross-check -> the measures that it speaks of; one that is not listed speaks of all."""
RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("lvef_", ("lvef",)),
    ("lv_enlarged", ("edv", "edv_index")),
    ("la_enlarged", ("la_volume_index", "la_volume")),
    ("qtc_", ("qtcf", "qt")),
    ("af_fast", ("heart_rate",)),
    ("rate_", ("heart_rate",)),
    ("pause", ("longest_rr",)),
    ("wide_qrs_low_ef", ("qrs", "lvef")),
    ("wide_qrs", ("qrs",)),
    ("pr_", ("pr",)),
    ("heart_rates_differ", ("heart_rate", "echo_heart_rate")),
    ("lv_length", ("lv_length_ed", "edv", "esv", "sv")),
)
"""Beginning of a rule's name -> the measures that can make it fire; the first row that fits counts."""
STRUCTURE_WORDS = {"lv_cavity": "LV cavity", "lv_epicardium": "LV myocardium", "left_atrium": "left atrium"}
KIND_WORDS = {
    "contour": "outline",
    "phase": "end-diastole or end-systole",
    "calibration": "calibration",
    "segment_score": "segment score",
    "ecg_mark": "mark",
    "beat_class": "beat class",
    "verdict": "verdict",
    "caliper": "caliper",
    "note": "note",
}
PLACE_WORDS = (
    ("cine:", "clip "),
    ("/frame:", ", frame "),
    ("/beat:", ", beat "),
    ("/segment:", ", "),
    ("/", ", "),
    ("_", " "),
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One line; with a frame it can be clicked."""

    text: str
    status: str = ""  # chooses icon and colour
    cine_idx: int | None = None
    frame_idx: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a heading."""

    title: str
    lines: tuple[Reason, ...]


def why(case: CaseView, name: str) -> tuple[Section, ...]:
    """Everything that a reader may ask about a measure; empty where the report does not have it."""
    result = _mapping((case.report or {}).get("result"))
    measure = _mapping(_mapping(result.get("measurements")).get(name))
    if not measure:
        return ()
    parts = (
        (str(measure.get("label", name)), _value(measure)),
        ("How", _how(measure)),
        ("From", _source(measure, case.results)),
        ("By the area-length method", _area_length(name, measure, case.results)),
        ("Changed by a reader", _acts(measure, result)),
        ("Cross-checks", _checks(name, result)),
        ("Rules that fired", _rules(name, result)),
        ("Scores", _scores(name, result)),
    )
    sections = (Section(title, tuple(lines)) for title, lines in parts)
    return tuple(section for section in sections if section.lines)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [_mapping(row) for row in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def value_line(measure: Mapping[str, Any]) -> str:
    """Value, unit and interval of a measure, or a dash."""
    digits, limits = int(measure.get("digits", 0)), measure.get("interval")
    interval = interval_text((float(limits[0]), float(limits[1])), digits) if limits else ""
    parts = (value_text(measure.get("value"), digits), str(measure.get("unit", "")), interval)
    return " ".join(part for part in parts if part)


def _value(measure: Mapping[str, Any]) -> Iterator[Reason]:
    status = str(measure.get("status", ""))
    if status == "withheld":
        yield Reason(f"withheld: {measure.get('reason')}", "withheld")
    else:
        yield Reason(f"{value_line(measure)} · {status_word(status)}", status)
    if measure.get("band"):
        yield Reason(str(measure["band"]))
    elif measure.get("interval"):
        yield Reason("No class where none is listed, or where the interval reaches over more than one.")
    if measure.get("verdict"):
        yield Reason(f"{measure['verdict']} by a reader", str(measure["verdict"]))


def _how(measure: Mapping[str, Any]) -> Iterator[Reason]:
    yield Reason(str(measure.get("method", "")))
    if measure.get("reference"):
        yield Reason(f"Reference: {measure['reference']}")


def _source(measure: Mapping[str, Any], results: StudyResults) -> Iterator[Reason]:
    """Each frame with its beat and volume, then contour, lead, file and model."""
    source = _mapping(measure.get("source"))
    sha256 = source.get("file_sha256")
    cine_idx = next((i for i, cine in enumerate(results.cines) if cine.file_sha256 == sha256), None)
    edited = set(source.get("edited_frames") or ())
    if cine_idx is not None:
        for frame_idx in source.get("frames") or ():
            text = f"frame {frame_idx + 1}{_frame_words(results, cine_idx, frame_idx)}"
            is_edited = frame_idx in edited
            yield Reason(text + (", edited" if is_edited else ""), "edited" if is_edited else "", cine_idx, frame_idx)
    contour = source.get("contour")
    facts = (
        f"outline of the {STRUCTURE_WORDS.get(contour, contour)}" if contour else "",
        f"lead {source['lead']}" if source.get("lead") else "",
        f"{len(source['beats'])} beats" if source.get("beats") else "",
    )
    joined = " · ".join(fact for fact in facts if fact)
    if joined:
        yield Reason(joined)
    for words, value in (("file", sha256), ("model", source.get("model_sha256"))):
        if value:
            yield Reason(f"{words} SHA-256 {str(value)[:16]}…")


def _area_length(name: str, measure: Mapping[str, Any], results: StudyResults) -> Iterator[Reason]:
    """The same outlines by the other usual method, beside the discs; of one plane."""
    from pipeline.echo.other_method import area_length

    if name not in ("lvef", "lvef_a4c", "lvef_a2c", "edv", "esv") or measure.get("value") is None:
        return
    sha256 = _mapping(measure.get("source")).get("file_sha256")
    for cine, detection, analysis in zip(results.cines, results.detections, results.clip_analyses, strict=False):
        found = area_length(cine, detection, analysis) if cine.file_sha256 == sha256 and analysis is not None else None
        if found is not None:
            volumes = (("EDV", found.edv_ml), ("ESV", found.esv_ml))
            told = [f"{words} {number(value, 0)} mL" for words, value in volumes if value is not None]
            yield Reason(" · ".join((f"EF {number(found.ef_pct, 0)} %", *told, f"{cine.view} alone")))
            return


def _frame_words(results: StudyResults, cine_idx: int, frame_idx: int) -> str:
    """Which beat's end-diastole or end-systole a frame is, with its volume."""
    cine = results.clip_analyses[cine_idx]
    if cine is None:
        return ""
    for beat_number, beat in enumerate(cine.beats, start=1):
        for words, idx, volume in (("ED", beat.ed_idx, beat.edv), ("ES", beat.es_idx, beat.esv)):
            if idx == frame_idx:
                shown = f", {number(volume, 0)} mL" if volume is not None and cine.volume_unit == "mL" else ""
                return f" · {words} of beat {beat_number}{shown}"
    return ""


def _acts(measure: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[Reason]:
    before = measure.get("before")
    if before is not None:
        own = dict(measure) | dict(before)
        told = f"withheld: {before.get('reason')}" if before.get("value") is None else value_line(own)
        yield Reason(f"The pipeline's own: {told}")
    wanted = set(_mapping(measure.get("source")).get("edits") or ())
    for act in _rows(result.get("edits")):
        if act.get("number") in wanted:
            yield Reason(act_words(act), "edited")


def act_words(act: Mapping[str, Any]) -> str:
    """One act of a reader in words: what, on what, who, when."""
    kind, after = str(act.get("kind", "")), act.get("after")
    place = str(act.get("target", "")).removesuffix("/calibration")
    for structure, words in STRUCTURE_WORDS.items():
        place = place.replace(f"/{structure}", f", {words}")
    for mark, words in PLACE_WORDS:
        place = place.replace(mark, words)
    value = "the pipeline's own again" if after is None else _after_words(kind, after)
    change = f"{_counted(place)} → {value}" if value else _counted(place)
    return f"{KIND_WORDS.get(kind, kind)}: {change} · {act.get('role')} {local_time(str(act.get('time_utc')))}".rstrip()


def _counted(place: str) -> str:
    """Clips, frames and beats counted from 1, as everywhere on the screen."""
    words = place.split(" ")
    return " ".join(
        f"{int(word.rstrip(',')) + 1}{',' if word.endswith(',') else ''}" if word.rstrip(",").isdigit() else word
        for word in words
    )


def _after_words(kind: str, after: object) -> str:
    told = _mapping(after)
    if kind == "phase" and isinstance(after, int):
        return f"frame {after + 1}"
    if kind == "segment_score":
        return str(told.get("score") or "not seen")
    if kind == "calibration":
        return f"{told.get('length_mm')} mm drawn"
    if kind == "contour":
        return {"drag": "pulled", "redraw": "redrawn", "three_clicks": "fitted to three points"}.get(
            str(told.get("way")), "changed"
        )
    return "" if isinstance(after, Mapping) else str(after)


def _checks(name: str, result: Mapping[str, Any]) -> Iterator[Reason]:
    for check in _rows(result.get("cross_checks")):
        key, outcome = str(check.get("name")), str(check.get("outcome"))
        concerns = name in CHECKS.get(key, ()) or (key not in CHECKS and outcome == "disagree")
        if concerns:
            label = dict(CHECK_LABELS).get(key, key.replace("_", " ").capitalize())
            text = f"{label}: {status_word(outcome)}. {check.get('text')} (tolerance {check.get('tolerance')})"
            yield Reason(text, outcome)


def _rules(name: str, result: Mapping[str, Any]) -> Iterator[Reason]:
    for rule in _rows(_mapping(result.get("risk")).get("rules")):
        key = str(rule.get("name", ""))
        measures = next((names for start, names in RULES if key.startswith(start)), ())
        if name in measures:
            yield Reason(f"{rule.get('level')}: {rule.get('text')} ({rule.get('reference')})", str(rule.get("level")))


def _scores(name: str, result: Mapping[str, Any]) -> Iterator[Reason]:
    for score in _rows(_mapping(result.get("risk")).get("scores")):
        item = _mapping(score.get("items")).get(name)
        if item:
            yield Reason(f"{score.get('label')}: {item}", str(score.get("status")))
