"""The catalogue of what the echo branch measures: one row a metric."""

from __future__ import annotations

from pipeline.records import Metric

LANG_2015 = "Lang et al. 2015, ASE/EACVI, doi 10.1016/j.echo.2014.10.003"
SCHILLER_1989 = "Schiller et al. 1989, ASE, doi 10.1016/S0894-7317(89)80014-8"
CERQUEIRA_2002 = "Cerqueira et al. 2002, AHA, doi 10.1161/hc0402.102975"
VOIGT_2015 = "Voigt et al. 2015, EACVI/ASE strain standard, doi 10.1093/ehjci/jeu184"
DISCS = "method of discs (20 discs, long axis per phase)"

LVEF = Metric(name="lvef", label="LVEF", unit="%", digits=0, method=DISCS, reference=LANG_2015, loinc="10230-1")
LVEF_A4C = Metric(
    name="lvef_a4c", label="LVEF A4C", unit="%", digits=0, method=DISCS, reference=LANG_2015, loinc="79993-2"
)
LVEF_A2C = Metric(
    name="lvef_a2c", label="LVEF A2C", unit="%", digits=0, method=DISCS, reference=LANG_2015, loinc="79992-4"
)
EDV = Metric(
    name="edv",
    label="LV end-diastolic volume",
    unit="mL",
    digits=0,
    method=DISCS,
    reference=LANG_2015,
    loinc="79996-5",
    biplane_code=True,
)
ESV = Metric(
    name="esv",
    label="LV end-systolic volume",
    unit="mL",
    digits=0,
    method=DISCS,
    reference=LANG_2015,
    loinc="80001-1",
    biplane_code=True,
)
SV = Metric(
    name="sv",
    label="LV stroke volume",
    unit="mL",
    digits=0,
    method="end-diastolic minus end-systolic volume",
    reference=LANG_2015,
)
EDV_INDEX = Metric(
    name="edv_index",
    label="LV end-diastolic volume index",
    unit="mL/m²",
    digits=0,
    method="volume by body surface (Du Bois)",
    reference=LANG_2015,
)
ESV_INDEX = Metric(
    name="esv_index",
    label="LV end-systolic volume index",
    unit="mL/m²",
    digits=0,
    method="volume by body surface (Du Bois)",
    reference=LANG_2015,
)
LV_LENGTH_ED = Metric(
    name="lv_length_ed",
    label="LV length, end-diastole",
    unit="mm",
    digits=0,
    method="middle of the mitral annulus to the apex",
    reference=LANG_2015,
)
LV_LENGTH_ES = Metric(
    name="lv_length_es",
    label="LV length, end-systole",
    unit="mm",
    digits=0,
    method="middle of the mitral annulus to the apex",
    reference=LANG_2015,
)
GLS = Metric(
    name="gls",
    label="Longitudinal strain (contour length)",
    unit="%",
    digits=1,
    method=(
        "peak systolic change of the endocardial contour's length since end-diastole, linear drift compensation in "
        "each beat; geometry, not speckle tracking; no category"
    ),
    reference=VOIGT_2015,
)
WMSI = Metric(
    name="wmsi",
    label="Wall motion score index (suggested)",
    unit="",
    digits=2,
    method=(
        "mean of suggested scores (1 normal, 2 hypokinetic, 3 akinetic, 4 dyskinetic) from inward motion against the "
        "5th percentile of normal hearts; thickening is not judged"
    ),
    reference=LANG_2015,
)
LV_MASS = Metric(
    name="lv_mass",
    label="LV mass",
    unit="g",
    digits=0,
    method=(
        "1.05 g/mL by the volume between outer and inner border, area-length 8/(3π)·A²/L each, end-diastole; no "
        "reference range, since published ones are for the short-axis method"
    ),
    reference=SCHILLER_1989,
)
LV_MASS_INDEX = Metric(
    name="lv_mass_index",
    label="LV mass index",
    unit="g/m²",
    digits=0,
    method="mass by body surface (Du Bois); no reference range",
    reference=SCHILLER_1989,
)
LA_AREA = Metric(
    name="la_area",
    label="LA area, end-systole",
    unit="cm²",
    digits=1,
    method="area inside the contour",
    reference=LANG_2015,
)
LA_VOLUME = Metric(
    name="la_volume",
    label="LA volume, end-systole",
    unit="mL",
    digits=0,
    method="area-length 8/(3π)·A²/L",
    reference=LANG_2015,
    loinc="79983-3",
    biplane_code=True,
)
LA_VOLUME_INDEX = Metric(
    name="la_volume_index",
    label="LA volume index",
    unit="mL/m²",
    digits=0,
    method="volume by body surface (Du Bois)",
    reference=LANG_2015,
)
ECHO_HEART_RATE = Metric(
    name="echo_heart_rate",
    label="Heart rate (cine)",
    unit="1/min",
    digits=0,
    method="mean interval between the beats of the volume curve, or between R waves stored with the clip; "
    "its interval: half a frame at both ends",
    reference=LANG_2015,
    loinc="8867-4",
)

ECHO_METRICS: tuple[Metric, ...] = (
    LVEF,
    LVEF_A4C,
    LVEF_A2C,
    EDV,
    ESV,
    SV,
    EDV_INDEX,
    ESV_INDEX,
    LV_LENGTH_ED,
    LV_LENGTH_ES,
    GLS,
    WMSI,
    LV_MASS,
    LV_MASS_INDEX,
    LA_AREA,
    LA_VOLUME,
    LA_VOLUME_INDEX,
    ECHO_HEART_RATE,
)

SEGMENT_METRICS: tuple[Metric, ...] = (
    Metric(
        name="radial_excursion_pct",
        label="Inward motion",
        unit="%",
        digits=0,
        method="end-diastole to end-systole, of the mean distance from the long axis; 90 % interval from the model's "
        "error on held-out patients at the same place and the spread of the beats",
        reference=CERQUEIRA_2002,
    ),
    Metric(
        name="longitudinal_strain_pct",
        label="Longitudinal strain",
        unit="%",
        digits=0,
        method="change of the segment's length on the endocardial contour, end-diastole to end-systole, linear drift "
        "compensation in each beat; geometry, not speckle tracking; 90 % interval as above",
        reference=VOIGT_2015,
    ),
    Metric(
        name="time_to_peak_ms",
        label="Time to peak",
        unit="ms",
        digits=0,
        method="end-diastole to the largest inward motion, mean over whole beats; its interval holds every frame that "
        "the noise between the beats (one beat: the error of the motion) does not tell from the peak, and half a frame "
        "at both ends; a bias of the outlines that changes over the cycle is not in it",
        reference=VOIGT_2015,
    ),
    Metric(
        name="time_to_peak_pct",
        label="Time to peak, part of the cycle",
        unit="%",
        digits=0,
        method="the same as part of the beat; given without a clock, too",
        reference=VOIGT_2015,
    ),
    Metric(
        name="score",
        label="Score (suggested)",
        unit="",
        digits=0,
        method="1 normal, 2 hypokinetic, 3 akinetic, 4 dyskinetic, from the inward motion against the 5th percentile "
        "of normal hearts, four-chamber view only; its interval is what that of the motion reaches",
        reference=LANG_2015,
    ),
)
"""What each of a clip's six wall segments says in the report; they stand with the clip, not among the measurements."""
