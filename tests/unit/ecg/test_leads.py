"""Lead names."""

import pytest

from pipeline.ecg.leads import canonical_lead, lead_names


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
