"""CSV: separators, decimal signs, units, rates, and text that is no table."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.ecg.readers import inspect_ecg, read_ecg
from pipeline.errors import InputError, PipelineError
from pipeline.gates import Limits

RATE_HZ = 250.0


def values(n_samples: int = 600, n_leads: int = 2) -> np.ndarray:
    return np.random.default_rng(13).uniform(-1.5, 1.5, (n_samples, n_leads)).round(4)


def table(data: np.ndarray, separator: str = ",", decimal: str = ".", heading: str = "", comment: str = "") -> str:
    rows = [separator.join(f"{cell:.6g}".replace(".", decimal) for cell in row) for row in data]
    return "\n".join([line for line in (comment, heading) if line] + rows) + "\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def refusal(path: Path, limits: Limits | None = None) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        read_ecg(path, limits or Limits())
    assert str(path.parent) not in caught.value.text
    return caught.value


@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")])
def test_known_values_come_back(tmp_path: Path, separator: str, decimal: str) -> None:
    heading = separator.join(["I (mV)", "aVF (mV)"])
    text = table(values(), separator, decimal, heading, "# sampling_rate_hz: 250")
    path = write(tmp_path / "a.csv", text)
    record, report = read_ecg(path, Limits()), inspect_ecg(path, Limits())
    np.testing.assert_allclose(record.signal_mv, values().T, atol=1e-6)
    assert (record.leads, record.sampling_rate_hz, record.remarks) == (("I", "aVF"), 250.0, ())
    assert (report.format, report.summary) == ("csv", "2 leads, 2.4 s, 250 Hz")
    assert record.scaling == "CSV: values in mV converted to mV; sampling rate from a comment."


@pytest.mark.parametrize(
    ("heading", "factor"), [("II [uV]", 1e-3), ("II_uv", 1e-3), ("II (µV)", 1e-3), ("II (V)", 1e3)]
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig"])
def test_units_of_the_heading_are_converted(tmp_path: Path, heading: str, factor: float, encoding: str) -> None:
    text = table(values(n_leads=1) / factor, heading=heading, comment="# sampling_rate_hz: 250")
    record = read_ecg(write(tmp_path / "a.csv", text, encoding), Limits())
    np.testing.assert_allclose(record.signal_mv, values(n_leads=1).T, rtol=1e-5)
    assert record.leads == ("II",)


@pytest.mark.parametrize(
    ("name", "scale"), [("time (s)", 1.0), ("time_ms", 1e3), ("t [ms]", 1e3), ("s", 1.0), ("ms", 1e3)]
)
def test_the_rate_comes_from_a_time_column(tmp_path: Path, name: str, scale: float) -> None:
    times = np.arange(600) / RATE_HZ * scale
    text = table(np.column_stack([times, values()]), heading=f"{name},I (mV),II (mV)")
    path = write(tmp_path / "a.csv", text)
    record = read_ecg(path, Limits())
    assert record.sampling_rate_hz == 250.0
    assert record.leads == ("I", "II")
    np.testing.assert_allclose(record.signal_mv, values().T, atol=1e-6)
    assert inspect_ecg(path, Limits()).summary == "2 leads, 2.4 s, 250 Hz"


def test_times_cut_to_milliseconds_still_give_the_rate(tmp_path: Path) -> None:
    times = np.floor(np.arange(3600) / 360.0 * 1000) / 1000
    text = table(np.column_stack([times, values(3600)]), heading="time (s),I (mV),II (mV)")
    assert read_ecg(write(tmp_path / "a.csv", text), Limits()).sampling_rate_hz == 360.0


def test_an_index_column_is_no_lead(tmp_path: Path) -> None:
    data = np.column_stack([np.arange(600), values()])
    text = table(data, heading="sample,I (mV),II (mV)", comment="# fs = 250 Hz")
    assert read_ecg(write(tmp_path / "a.csv", text), Limits()).leads == ("I", "II")


def test_bare_numbers_are_taken_as_mv_and_said(tmp_path: Path) -> None:
    record = read_ecg(write(tmp_path / "a.csv", table(values(), comment="# sampling_rate_hz: 250")), Limits())
    assert record.leads == ("channel 1", "channel 2")
    assert [remark.code for remark in record.remarks] == ["W_ECG_UNIT_ASSUMED"]
    named = table(values(), comment="# sampling_rate_hz: 250\n# leads: V1, V2\n# units: uV")
    record = read_ecg(write(tmp_path / "b.csv", named), Limits())
    assert (record.leads, record.remarks) == (("V1", "V2"), ())
    np.testing.assert_allclose(record.signal_mv, values().T / 1000.0, atol=1e-8)


def test_converter_steps_without_a_unit_are_refused(tmp_path: Path) -> None:
    text = table(values() * 1000.0, comment="# sampling_rate_hz: 250")
    error = refusal(write(tmp_path / "a.csv", text))
    assert error.code == "E_INPUT_UNSUPPORTED"
    assert "names no unit" in error.text


def test_values_too_large_for_the_named_unit_are_remarked(tmp_path: Path) -> None:
    text = table(values() * 1000.0, heading="I (mV),II (mV)", comment="# sampling_rate_hz: 250")
    record = read_ecg(write(tmp_path / "a.csv", text), Limits())
    assert [remark.code for remark in record.remarks] == ["W_ECG_UNITS"]


def test_without_a_rate_it_is_asked_for(tmp_path: Path) -> None:
    for text in (table(values()), table(values(), heading="I (mV),II (mV)")):
        error = refusal(write(tmp_path / "a.csv", text))
        assert isinstance(error, InputError)
        assert error.code == "E_INPUT_UNSUPPORTED"
        assert "sampling_rate_hz: 500" in error.text


def test_a_time_column_without_a_unit_is_asked_about(tmp_path: Path) -> None:
    data = np.column_stack([np.arange(600) / RATE_HZ, values()])
    error = refusal(write(tmp_path / "a.csv", table(data, heading="time,I (mV),II (mV)")))
    assert "time (ms)" in error.text


def test_empty_cells_and_infinities_are_missing(tmp_path: Path) -> None:
    rows = table(values()).splitlines()
    rows[3], rows[4], rows[5] = "0.5,", ",0.5", "inf,-inf"
    text = "# sampling_rate_hz: 250\nI (mV),II (mV)\n" + "\n".join(rows)
    record = read_ecg(write(tmp_path / "a.csv", text), Limits())
    assert np.isnan(record.signal_mv).sum() == 4
    assert record.signal_mv[0, 3] == 0.5


def test_uneven_times_are_refused(tmp_path: Path) -> None:
    times = np.arange(600) / RATE_HZ
    for spoiled in (np.where(times > 1.0, times + 0.5, times), times[::-1], np.zeros(600)):
        text = table(np.column_stack([spoiled, values()]), heading="time (s),I (mV),II (mV)")
        assert refusal(write(tmp_path / "a.csv", text)).code == "E_INPUT_UNSUPPORTED"


RATE = "# sampling_rate_hz: 250\n"
GOOD = RATE + table(values(50))


@pytest.mark.parametrize(
    "text",
    [
        RATE + "1;2\n1,5;2\n1.5;2\n" * 20,  # both decimal signs within the first rows
        RATE + "1;2\n" * 400 + "1,5;2\n1.5;2\n",  # and far behind them
        GOOD + "1.0,2.0,3.0\n",
        GOOD + "1.0,abc\n",
        GOOD + '"1.0,2.0\n',
        GOOD + "0.1,0.2\0\n",
        GOOD + "1," * 40_000 + "\n",
        RATE + ",".join(["0.1"] * 65) + "\n" + ",".join(["0.1"] * 65) + "\n",
        RATE + "I (mV),II (mV),III (mV)\n" + table(values(50)),
        "# sampling_rate_hz: fast\n" + table(values(50)),
        "# sampling_rate_hz: 0\n" + table(values(50)),
        "# sampling_rate_hz: -250\n" + table(values(50)),
        RATE + "I (mmHg),II (mmHg)\n" + table(values(50)),
        RATE + "a heading\nwithout numbers\n",
        RATE,
    ],
)
def test_what_is_no_table_of_an_ecg_is_refused(tmp_path: Path, text: str) -> None:
    assert isinstance(refusal(write(tmp_path / "a.csv", text)), InputError)


def test_a_line_of_200_mb_is_refused_without_holding_it(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(GOOD.encode())
        for _ in range(200):
            file.write(b"1" * 1_000_000)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "too long" in refusal(path).text
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 100_000


def test_the_value_limit_passes_and_one_more_fails(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", GOOD)
    assert read_ecg(path, Limits(max_samples=100)).signal_mv.size == 100
    assert refusal(path, Limits(max_samples=99)).code == "E_HARD_004"


def test_a_json_file_is_no_ecg(tmp_path: Path) -> None:
    assert refusal(write(tmp_path / "a.csv", '{"age_years": 60}\n')).code == "E_INPUT_KIND"
    assert refusal(write(tmp_path / "a.bin", "\x01\x02\x03\x04" * 50)).code == "E_INPUT_KIND"
    assert refusal(write(tmp_path / "b.csv", "")).code == "E_INPUT_EMPTY"
