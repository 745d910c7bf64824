"""The two functions of a reader that decodes its file in one go: short recordings of resting ECG devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.cancellation import CancelToken, Progress, no_progress
from pipeline.ecg.leads import LIMB_RELATIONS, lead_names
from pipeline.ecg.readers.header import EcgHeader, check_rate, check_sample_count
from pipeline.errors import InputError
from pipeline.gates import Limits
from pipeline.records import Array, EcgRecord, PatientHeader, Remark

MAX_LEADS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFile:
    """`inspect` and `read` of a format whose `decode` gives the complete record."""

    decode: Callable[[Path, Limits], EcgRecord]

    def inspect(self, path: Path, limits: Limits) -> EcgHeader:
        """Size of the recording; raises as `read` does."""
        record = self.decode(path, limits)
        return EcgHeader(
            n_leads=len(record.leads),
            n_samples=record.signal_mv.shape[1],
            sampling_rate_hz=record.sampling_rate_hz,
            files=(path,),
            remarks=record.remarks,
        )

    def read(
        self, path: Path, limits: Limits, *, progress: Progress = no_progress, cancel: CancelToken | None = None
    ) -> EcgRecord:
        """Read the recording in mV; raises what the format's `decode` raises."""
        record = self.decode(path, limits)
        if cancel is not None:
            cancel.check()
        progress(1.0, "Reading the ECG")
        return record


def check_size(n_leads: int, n_samples: int, sampling_rate_hz: float, limits: Limits) -> None:
    """Refuse declared counts and rates that are impossible or over the limits, before anything is decoded."""
    if n_leads > MAX_LEADS:
        raise InputError("The ECG file declares more leads than an ECG has.")
    check_sample_count(n_leads, n_samples, limits)
    check_rate(sampling_rate_hz)


def make_record(
    labels: Sequence[str],
    rows_mv: Sequence[Array],
    sampling_rate_hz: float,
    *,
    scaling: str,
    patient: PatientHeader,
    remarks: Sequence[Remark] = (),
    derive_limb_leads: bool = False,
) -> EcgRecord:
    """Put leads of one length together.

    Parameters
    ----------
    rows_mv
        One array (n_samples,) in mV per label.
    derive_limb_leads
        For formats that store eight of the twelve leads by definition: III, aVR, aVL and aVF are computed from
        I and II where none of them is stored (Goldberger 1942), and W_ECG_LEADS_DERIVED says so.

    Raises
    ------
    InputError
        E_INPUT_UNSUPPORTED: the leads differ in length.
    """
    if len({row.size for row in rows_mv}) != 1:
        raise InputError("The leads of the ECG file differ in length.", code="E_INPUT_UNSUPPORTED")
    names = lead_names(labels)
    rows = dict(zip(names, rows_mv, strict=True))
    limb = [name for name, _, _, _ in LIMB_RELATIONS]
    derived: tuple[Remark, ...] = ()
    if derive_limb_leads and "I" in rows and "II" in rows and not any(name in rows for name in limb):
        computed = {name: a * rows["I"] + b * rows["II"] for name, a, b, _ in LIMB_RELATIONS}
        chest = {name: row for name, row in rows.items() if name not in ("I", "II")}
        rows = {"I": rows["I"], "II": rows["II"], **computed, **chest}
        text = f"The file stores I and II; {', '.join(limb[:-1])} and {limb[-1]} were computed from them."
        derived = (Remark(code="W_ECG_LEADS_DERIVED", text=text),)
    return EcgRecord(
        signal_mv=np.stack(list(rows.values())).astype(np.float32),
        sampling_rate_hz=sampling_rate_hz,
        leads=tuple(rows),
        scaling=scaling,
        header=patient,
        remarks=(*remarks, *derived),
    )
