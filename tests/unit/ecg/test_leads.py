"""Lead names and Einthoven's relations."""

import numpy as np
import pytest

from pipeline.ecg.leads import STANDARD_LEADS, canonical_lead, einthoven_remarks, lead_names

LIMB_LEADS = STANDARD_LEADS[:6]


def limb_leads(seed: int = 3) -> np.ndarray:
    """Six limb leads in mV from two random walks of heart size: they keep every relation exactly."""
    rng = np.random.default_rng(seed)
    one, two = (0.5 * np.sin(np.linspace(0, 40, 4000) + phase) + rng.normal(0, 0.02, 4000) for phase in (0.0, 1.0))
    return np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2])


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("ii", "II"),
        ("Lead I (Einthoven)", "I"),
        ("Lead aVR", "aVR"),
        ("MDC_ECG_LEAD_AVL", "aVL"),
        ("ECG V1-Ref", "V1"),
        ("EKG aVF", "aVF"),
        ("DIII", "III"),
        ("mlii", "MLII"),
        ("ECG", "ECG"),
        ("ECG II", "II"),
        ("v6", "V6"),
    ],
)
def test_usual_labels_become_the_usual_names(label: str, name: str) -> None:
    assert canonical_lead(label) == name


@pytest.mark.parametrize("label", ["C3", "VR", "Fp1", "PLETH", "", "V", "IIII", "II III"])
def test_other_labels_are_no_known_lead(label: str) -> None:
    assert canonical_lead(label) is None


def test_names_are_unique_short_and_printable() -> None:
    names = lead_names(["ii", "II", "", "a very long label indeed", "x\x00\x1by"])
    assert names == ("II", "II (2)", "channel 3", "a very long labe", "xy")


def test_agreeing_leads_give_no_remark() -> None:
    assert einthoven_remarks(limb_leads(), LIMB_LEADS) == ()


def test_quantisation_and_offsets_are_tolerated() -> None:
    rounded = np.round(limb_leads() / 0.005) * 0.005 + np.arange(6)[:, None]
    assert einthoven_remarks(rounded, LIMB_LEADS) == ()


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (1, 2)])
def test_swapped_leads_are_named(first: int, second: int) -> None:
    signal = limb_leads()
    signal[[first, second]] = signal[[second, first]]
    (remark,) = einthoven_remarks(signal, LIMB_LEADS)
    assert remark.code == "W_EINTHOVEN"
    assert "aVF = II - I / 2" in remark.text or "III = II - I" in remark.text
    assert "swapped or inverted" in remark.text


def test_a_lead_of_another_scale_is_told_apart_from_a_swapped_one() -> None:
    signal = limb_leads()
    signal[2] *= 2.0
    (remark,) = einthoven_remarks(signal, LIMB_LEADS)
    assert "III = II - I" in remark.text
    assert "aVR" not in remark.text
    assert "scaled or filtered" in remark.text


def test_an_inverted_augmented_lead_is_found() -> None:
    signal = limb_leads()
    signal[3] *= -1.0
    (remark,) = einthoven_remarks(signal, LIMB_LEADS)
    assert "aVR = -(I + II) / 2" in remark.text


def test_nothing_is_said_without_both_limb_leads() -> None:
    assert einthoven_remarks(limb_leads()[1:], LIMB_LEADS[1:]) == ()


def test_missing_samples_are_left_out_of_the_comparison() -> None:
    signal = limb_leads()
    signal[2, 100:900] = np.nan
    assert einthoven_remarks(signal, LIMB_LEADS) == ()
    signal[2] = np.nan
    assert einthoven_remarks(signal, LIMB_LEADS) == ()


def test_the_signal_is_not_changed() -> None:
    signal = limb_leads()
    before = signal.copy()
    einthoven_remarks(signal, LIMB_LEADS)
    np.testing.assert_array_equal(signal, before)
