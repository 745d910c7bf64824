"""The usual beat's shape: median beat, waves, axes, exchanged electrodes, and the statements that rest on them."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.ecg.axis import FrontalAxis, frontal_axis
from pipeline.ecg.conduction import conduction_statements
from pipeline.ecg.hypertrophy import hypertrophy_statements
from pipeline.ecg.lead_swap import chest_swap, limb_swap
from pipeline.ecg.lead_waves import lead_waves
from pipeline.ecg.limb_scales import LimbScales, limb_scales
from pipeline.ecg.median_beat import MedianBeat, median_beat
from pipeline.ecg.repolarisation import repolarisation_statements
from pipeline.ecg.shape_facts import ShapeFacts
from pipeline.records import Array, Delineation, EcgStatement, LeadWaves, Metadata, PreparedEcg

AXIS_WAVES = ("p", "qrs", "t")


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatShape:
    """What the median beat shows; all of it empty where there is none."""

    waves: tuple[LeadWaves, ...] = ()
    axes: tuple[FrontalAxis | None, FrontalAxis | None, FrontalAxis | None] = (None, None, None)  # as AXIS_WAVES
    scales: LimbScales | None = None  # None where it could not be checked
    limb_swap: str | None = None
    chest_swap: tuple[str, str] | None = None

    @property
    def by_lead(self) -> dict[str, LeadWaves]:
        return {lead.lead: lead for lead in self.waves}

    @property
    def scales_agree(self) -> bool:
        return self.scales is None or self.scales.agree


def beat_shape(
    ecg: PreparedEcg, signal_mv: Array, r_peaks_idx: Array, delineation: Delineation, usual: Array
) -> BeatShape:
    """Measure the median of the usual beats.

    `signal_mv` is float (n_leads, n_samples), NaN in leads that are not usable; `usual` is bool (n_beats,).
    """
    return shape_of(ecg, median_beat(signal_mv, ecg.record.sampling_rate_hz, r_peaks_idx, delineation, usual))


def shape_of(ecg: PreparedEcg, beat: MedianBeat | None) -> BeatShape:
    """Measure a median beat that is there already."""
    leads = ecg.record.leads
    named = [name if is_usable else "" for name, is_usable in zip(leads, ecg.lead_usable, strict=True)]
    scales = limb_scales(ecg.record.signal_mv, ecg.record.sampling_rate_hz, named)
    if beat is None:
        return BeatShape(scales=scales)
    ratio = 1.0 if scales is None else scales.ii_over_i
    p_axis, qrs_axis, t_axis = (frontal_axis(beat, leads, wave, ii_over_i=ratio) for wave in AXIS_WAVES)
    fits = scales is None or not scales.broken
    return BeatShape(
        waves=lead_waves(beat, leads),
        axes=(p_axis, qrs_axis, t_axis),
        scales=scales,
        limb_swap=limb_swap(beat, leads, ii_over_i=ratio) if fits else None,
        chest_swap=chest_swap(beat, leads),
    )


def shape_statements(
    shape: BeatShape, metadata: Metadata, *, qrs_ms: float | None, axis_deg: float | None, paced: bool
) -> tuple[EcgStatement, ...]:
    """Conduction, voltage and repolarisation, each a suggestion or the reason why it cannot be judged.

    `axis_deg` is None where the axis is withheld; `paced` is what was given or what the trace shows. Nothing is said of
    an ECG without the chest leads: its rules need twelve leads.
    """
    if not any(name in shape.by_lead for name in ("V1", "V2", "V3", "V4", "V5", "V6")):
        return ()
    facts = ShapeFacts(
        waves=shape.by_lead,
        qrs_ms=qrs_ms,
        axis_deg=axis_deg,
        sex=metadata.sex,
        age_years=metadata.age_years,
        paced=paced,
        scales_agree=shape.scales_agree,
        limb_swap=shape.limb_swap is not None or bool(shape.scales and shape.scales.broken),
    )
    return (*conduction_statements(facts), *hypertrophy_statements(facts), *repolarisation_statements(facts))
