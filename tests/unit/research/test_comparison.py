"""Two results field by field."""

from __future__ import annotations

from pipeline.research.comparison import compare_reports


def report(**result):
    return {"result": result, "pipeline_execution": {"run_id": str(result)}}


def test_only_what_differs_differs():
    first = report(a={"x": 1.0, "y": [1, 2]}, only="left", same=None)
    second = report(a={"x": 1.5, "y": [1, 3, 4]}, same=None, other="right")
    found = {field.path: field for field in compare_reports(first, second)}
    assert {path: field.kind for path, field in found.items()} == {
        "a/x": "changed",
        "a/y/0": "same",
        "a/y/1": "changed",
        "a/y/2": "only second",
        "only": "only first",
        "same": "same",
        "other": "only second",
    }
    assert found["a/x"].change == 0.5
    assert found["only"].change is None


def test_true_is_no_number_and_a_run_without_result_has_none():
    (field,) = compare_reports(report(flag=True), report(flag=False))
    assert (field.kind, field.change) == ("changed", None)
    assert [f.kind for f in compare_reports({"result": None}, report(a=1))] == ["only first", "only second"]
