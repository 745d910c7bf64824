"""Whether limb leads keep their sum rules, in shape and in scale."""

import numpy as np
import pytest

from pipeline.ecg.leads import STANDARD_LEADS
from pipeline.ecg.limb_scales import limb_remarks, limb_scales

LIMB_LEADS = STANDARD_LEADS[:6]
RATE_HZ = 500.0


def limb_leads(seed: int = 3) -> np.ndarray:
    """Six limb leads in mV from two random walks of heart size: they keep every relation exactly."""
    rng = np.random.default_rng(seed)
    one, two = (0.5 * np.sin(np.linspace(0, 40, 4000) + phase) + rng.normal(0, 0.02, 4000) for phase in (0.0, 1.0))
    return np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2])


def test_agreeing_leads_give_no_remark() -> None:
    assert limb_remarks(limb_leads(), RATE_HZ, LIMB_LEADS) == ()


def test_quantisation_and_offsets_are_tolerated() -> None:
    rounded = np.round(limb_leads() / 0.005) * 0.005 + np.arange(6)[:, None]
    assert limb_remarks(rounded, RATE_HZ, LIMB_LEADS) == ()


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (1, 2)])
def test_swapped_leads_are_named(first: int, second: int) -> None:
    signal = limb_leads()
    signal[[first, second]] = signal[[second, first]]
    (remark,) = limb_remarks(signal, RATE_HZ, LIMB_LEADS)
    assert remark.code == "W_EINTHOVEN"
    assert "aVR = -(I + II) / 2" in remark.text or "III = II - I" in remark.text
    assert "swapped or inverted" in remark.text


def test_a_lead_of_another_scale_is_told_apart_from_a_swapped_one() -> None:
    signal = limb_leads()
    signal[2] *= 2.0
    (remark,) = limb_remarks(signal, RATE_HZ, LIMB_LEADS)
    assert remark.code == "W_LIMB_SCALES"
    assert "III = II - I" in remark.text
    assert "aVR" not in remark.text


def test_the_scale_of_leads_drawn_one_by_one_is_recovered() -> None:
    signal = limb_leads() * np.array([1.0, 0.4, 1.3, 0.8, 2.0, 0.7])[:, None]
    found = limb_scales(signal, RATE_HZ, LIMB_LEADS)
    assert found is not None
    assert found.broken == ()
    assert found.ii_over_i == pytest.approx(1 / 0.4, rel=0.01)


def test_agreeing_scales_are_left_at_one() -> None:
    found = limb_scales(limb_leads(), RATE_HZ, LIMB_LEADS)
    assert found is not None
    assert found.agree
    assert found.ii_over_i == 1.0


def test_drift_of_one_lead_breaks_no_rule() -> None:
    signal = limb_leads()
    signal[2] += 0.15 * np.sin(np.linspace(0, 10, signal.shape[1]))
    assert limb_remarks(signal, RATE_HZ, LIMB_LEADS) == ()


def test_noise_in_one_lead_is_no_matter_of_scale() -> None:
    signal = limb_leads()
    signal[2] += np.random.default_rng(1).normal(0, 0.3, signal.shape[1])
    (remark,) = limb_remarks(signal, RATE_HZ, LIMB_LEADS)
    assert remark.code == "W_EINTHOVEN"


def test_an_inverted_augmented_lead_is_found() -> None:
    signal = limb_leads()
    signal[3] *= -1.0
    (remark,) = limb_remarks(signal, RATE_HZ, LIMB_LEADS)
    assert "aVR = -(I + II) / 2" in remark.text


def test_nothing_is_said_without_both_limb_leads() -> None:
    assert limb_remarks(limb_leads()[1:], RATE_HZ, LIMB_LEADS[1:]) == ()


def test_missing_samples_are_left_out_of_the_comparison() -> None:
    signal = limb_leads()
    signal[2, 100:900] = np.nan
    assert limb_remarks(signal, RATE_HZ, LIMB_LEADS) == ()
    signal[2] = np.nan
    assert limb_remarks(signal, RATE_HZ, LIMB_LEADS) == ()


def test_the_signal_is_not_changed() -> None:
    signal = limb_leads()
    before = signal.copy()
    limb_remarks(signal, RATE_HZ, LIMB_LEADS)
    np.testing.assert_array_equal(signal, before)
