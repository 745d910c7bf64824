"""Which acts of a reader a measure of the echo depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipeline.echo.cine_study import CineStudy
from pipeline.echo.subject import Subject
from pipeline.records import Measurement
from pipeline.review import changes as parts
from pipeline.review.changes import Changes, PhaseName, Structure

PHASES: tuple[PhaseName, ...] = ("ed", "es")
CAVITY: tuple[Structure, ...] = ("lv_cavity",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a measure is made of."""

    structures: tuple[Structure, ...] = CAVITY
    phases: tuple[PhaseName, ...] = PHASES
    whole_beat: bool = False  # every frame of the beat counts, not only its two phases
    both_views: bool = False
    millimetres: bool = True
    scores: bool = False


_ATRIUM: tuple[Structure, ...] = ("left_atrium", "lv_cavity")  # its length begins at the annulus
_WALL: tuple[Structure, ...] = ("lv_epicardium", "lv_cavity")
NEEDS: Mapping[str, Need] = {
    "lvef": Need(both_views=True, millimetres=False),
    "lvef_a4c": Need(millimetres=False),
    "lvef_a2c": Need(millimetres=False),
    "edv": Need(phases=("ed",), both_views=True),
    "edv_index": Need(phases=("ed",), both_views=True),
    "esv": Need(phases=("es",), both_views=True),
    "esv_index": Need(phases=("es",), both_views=True),
    "sv": Need(both_views=True),
    "lv_length_ed": Need(phases=("ed",)),
    "lv_length_es": Need(phases=("es",)),
    "gls": Need(whole_beat=True, millimetres=False),
    "wmsi": Need(whole_beat=True, both_views=True, millimetres=False, scores=True),
    "lv_mass": Need(structures=_WALL, phases=("ed",)),
    "lv_mass_index": Need(structures=_WALL, phases=("ed",)),
    "la_area": Need(structures=("left_atrium",), phases=("es",)),
    "la_volume": Need(structures=_ATRIUM, phases=("es",), both_views=True),
    "la_volume_index": Need(structures=_ATRIUM, phases=("es",), both_views=True),
    "echo_heart_rate": Need(structures=(), millimetres=False),
}
"""By name of the measure; a measure that is not listed is told by its change alone."""


def attributed(
    before: Iterable[Measurement],
    after: Iterable[Measurement],
    subject: Subject,
    order: Mapping[int, CineStudy],
    made: Changes,
) -> tuple[Measurement, ...]:
    """The measures after a change, those that depend on it marked and naming the acts and the edited frames.

    Parameters
    ----------
    before, after
        What the pipeline measured by itself, and what the changes give.
    subject : Subject
        The cines that the numbers come from.
    order : mapping
        Position of a cine in the study -> its measured cine.
    made : Changes

    Returns
    -------
    tuple of Measurement
        A measure on which nothing was changed is the very one of before.
    """
    known = {measure.name: measure for measure in before}
    return tuple(_marked(known.get(measure.name), measure, subject, order, made) for measure in after)


def _marked(
    before: Measurement | None, after: Measurement, subject: Subject, order: Mapping[int, CineStudy], made: Changes
) -> Measurement:
    acts, frames = _depends_on(after.name, subject, order, made)
    if before is not None and replace(before, source=after.source) == after and before.source == after.source:
        if not acts:
            return before
    elif not acts:
        # such as a beat that an edit put out of the means, or a second view that it made usable
        acts = tuple(sorted(n for target, n in made.numbers.items() if _changes_numbers(target)))
    source = replace(after.source, edited_frame_idx=frames, edits=acts)
    if after.status == "withheld":
        return replace(after, source=source)
    return replace(after, status="edited", source=source, method=f"{after.method}; {_words(made, acts)}")


def _changes_numbers(target: str) -> bool:
    return target.startswith("cine:") and "/caliper:" not in target


def _depends_on(
    name: str, subject: Subject, order: Mapping[int, CineStudy], made: Changes
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the acts, and the edited frames of the main view, that a measure rests on."""
    need = NEEDS.get(name)
    if need is None:
        return (), ()
    main, other = (subject.other, None) if name == "lvef_a2c" else (subject.main, subject.other)
    used = [study for study in (main, other if need.both_views else None) if study is not None]
    targets, frames = [], set()
    for study in used:
        cine_idx = next(i for i, each in order.items() if each is study)
        for frame_idx, target in _contours(need, study, cine_idx, made):
            targets.append(target)
            if study is main:
                frames.add(frame_idx)
        for _, beat_idx, phase in (key for key in made.phases if key[0] == cine_idx):
            if phase in need.phases:
                targets.append(parts.phase_target(cine_idx, beat_idx, phase))
                if study is main:
                    frames.add(made.phases[cine_idx, beat_idx, phase])
        if need.millimetres and cine_idx in made.pixel_mm:
            targets.append(parts.calibration_target(cine_idx))
        if need.scores:
            targets += [parts.segment_target(*key) for key in made.scores if key[0] == cine_idx]
    numbers = (made.numbers[target] for target in targets if target in made.numbers)
    return tuple(sorted(numbers)), tuple(sorted(frames))


def _contours(need: Need, study: CineStudy, cine_idx: int, made: Changes) -> Iterable[tuple[int, str]]:
    """Edited contours among those that the measure is made of: (frame, target)."""
    counted: set[int] = set()
    for beat in (figures.beat for figures in study.figures):
        if need.whole_beat:
            counted.update(range(beat.ed_idx, beat.end_idx + 1))
        else:
            counted.update({"ed": beat.ed_idx, "es": beat.es_idx}[phase] for phase in need.phases)
    for cine, frame, structure in made.contours:
        if cine == cine_idx and frame in counted and structure in need.structures:
            yield frame, parts.contour_target(cine, frame, structure)


def _words(made: Changes, acts: tuple[int, ...]) -> str:
    """What the reader did, in one clause."""
    kinds = {target.split("/")[-1].split(":")[0] for target, number in made.numbers.items() if number in acts}
    drawn = {f"{made.drawn_mm[c]:g} mm" for c in made.drawn_mm if made.numbers[parts.calibration_target(c)] in acts}
    told = (
        (bool(kinds & set(parts.FIELDS)), "outlines edited"),
        (bool(kinds & set(PHASES)), "end-diastole or end-systole moved"),
        ("calibration" in kinds, f"calibrated by a drawn length of {' and '.join(sorted(drawn))}"),
        ("segment" in kinds, "segments scored by eye"),
    )
    return "by a reader: " + ", ".join(words for holds, words in told if holds)
