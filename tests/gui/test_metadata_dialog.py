"""The form of facts about the patient."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from pipeline.clinical.metadata_fields import FIELDS
from pipeline.records import CardiologyRequest, Metadata, StudyResults
from ui.metadata_dialog import SHOWN, UNKNOWN, MetadataDialog
from ui.view_state import CaseView


def case(**facts) -> CaseView:
    origin = {name: "given" for name in facts if name not in ("sex", "bsa_m2")}
    origin |= {"sex": "ecg header", "bsa_m2": "computed"} if "sex" in facts else {}
    return CaseView(results=StudyResults(metadata=Metadata(**facts, origin=origin)), request=CardiologyRequest())


def opened(qtbot, shown: CaseView) -> MetadataDialog:
    dialog = MetadataDialog(shown)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_given_facts_are_shown_and_headers_stay_apart(qtbot):
    dialog = opened(qtbot, case(age_years=67.0, diabetes=False, sex="male", bsa_m2=1.9))
    assert dialog.facts() == {"age_years": 67.0, "diabetes": False}
    assert dialog.inputs["sex"].currentText() == UNKNOWN
    words = [label.text() for label in dialog.findChildren(type(dialog.problem))]
    assert any("male from the header of a file" in text for text in words)
    assert not dialog.accept_button.isEnabled()


def test_new_facts_are_told_once_and_unknown_ones_left_out(qtbot):
    dialog = opened(qtbot, case(age_years=67.0))
    told = []
    dialog.facts_chosen.connect(told.append)
    dialog.inputs["height_cm"].setValue(180.0)
    dialog.inputs["nyha_class"].setValue(2)
    dialog.inputs["copd"].setCurrentText("yes")
    dialog.inputs["age_years"].setValue(dialog.inputs["age_years"].minimum())
    assert dialog.accept_button.isEnabled()
    dialog.accept_button.click()
    assert told == [{"height_cm": 180.0, "nyha_class": 2, "copd": True}]


def test_every_value_of_a_range_can_be_given_and_none_beyond(qtbot):
    dialog = opened(qtbot, case())
    for field in SHOWN:
        box = dialog.inputs[field.name]
        if field.kind in ("boolean", "choice"):
            continue
        box.setValue(field.low)
        assert dialog.facts()[field.name] == pytest.approx(field.low)
        box.setValue(field.high * 10)
        assert dialog.facts()[field.name] == pytest.approx(field.high)
        assert not dialog.problem.isVisible()


def test_every_field_but_dates_and_second_spellings_has_a_row_with_its_use(qtbot):
    dialog = opened(qtbot, case())
    left_out = {field.name for field in FIELDS} - set(dialog.inputs)
    assert left_out == {"birth_date", "study_date", "height_m", "creatinine_mg_dl", "heart_failure_months"}
    assert all(box.toolTip() and box.accessibleName() for box in dialog.inputs.values())


def test_contradictions_are_said_and_cannot_be_used(qtbot):
    dialog = opened(qtbot, case())
    dialog.inputs["heart_failure"].setCurrentText("no")
    dialog.inputs["heart_failure_18_months"].setCurrentText("yes")
    assert dialog.problem.isVisible()
    assert dialog.problem.text()
    assert not dialog.accept_button.isEnabled()
