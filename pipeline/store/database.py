"""The store: runs, events, checkpoints, audit in one SQLite file. One Store belongs to one thread."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import psutil

from pipeline.errors import StoreError
from pipeline.records import CardiologyRequest, CheckpointRow, Edit, RunEvent, ValidationReport
from pipeline.states import State
from pipeline.store import audit, codec
from pipeline.store.checkpoint import StateCheckpoint
from pipeline.store.checkpoint_rows import select_checkpoints
from pipeline.store.connection import connect, create_private, transaction, typed_errors
from pipeline.store.edits import insert_edit, select_edits
from pipeline.store.holds import Hold
from pipeline.store.run_rows import RunRow, input_names, request_json, request_of, run_row

PART_BYTES = 16 << 20


def utc_now() -> str:
    """ISO 8601 UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(checkpoint: StateCheckpoint) -> dict[str, bytes]:
    """Stored name -> payload, for every result that the checkpoint holds."""
    report = checkpoint.validation_result
    found = {
        "validation_result": None if report is None else codec.encode(report),
        "preprocessed_echo": checkpoint.preprocessed_echo,
        "preprocessed_ecg": checkpoint.preprocessed_ecg,
        "preprocessed_metadata": checkpoint.preprocessed_metadata,
        "detection_result": checkpoint.detection_result,
    }
    for branch, payload in (checkpoint.analysis_result or {}).items():
        found[f"analysis_result.{branch}"] = payload
    return {name: payload for name, payload in found.items() if payload is not None}


class Store:
    """Opened with `Store.open(path)`; closes itself as a context manager."""

    def __init__(self, connection: sqlite3.Connection, hold: Hold | None = None) -> None:
        self._connection = connection
        self._hold = hold

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open or create the file; see `connection.connect` for the errors."""
        create_private(path)
        hold = Hold(path)
        try:
            return cls(connect(path), hold)
        except BaseException:
            hold.release()
            raise

    def close(self) -> None:
        self._connection.close()
        if self._hold is not None:
            self._hold.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- runs ---------------------------------------------------------------------------------------

    def start_run(self, run_id: str, request: CardiologyRequest, *, models: str = "") -> None:
        """A new row, owned by this process; `models` names the models that it is made with."""
        me = psutil.Process()
        with transaction(self._connection):
            self._connection.execute(
                "INSERT INTO runs (run_id, created_utc, status, state, request_json, inputs_json,"
                " owner_pid, owner_started) VALUES (?, ?, 'running', 'INIT', ?, ?, ?, ?)",
                (
                    run_id,
                    utc_now(),
                    request_json(request),
                    json.dumps(input_names(request)),
                    me.pid,
                    me.create_time(),
                ),
            )
            audit.append_start(self._connection, run_id, _with_request("started", request), models, utc_now())

    def take_over(self, run_id: str, request: CardiologyRequest, *, models: str = "") -> None:
        """Mark a stored run as running here, with what is asked of it now; refuses one that another process runs."""
        me = psutil.Process()
        with transaction(self._connection):
            row = self.run(run_id)
            if row.status == "running":
                raise StoreError("That run is still going on in another window.", code="E_STORE_LOCKED")
            self._connection.execute(
                "UPDATE runs SET status = 'running', state = 'INIT', finished_utc = NULL, error_code = NULL,"
                " owner_pid = ?, owner_started = ?, request_json = ?, inputs_json = ? WHERE run_id = ?",
                (me.pid, me.create_time(), request_json(request), json.dumps(input_names(request)), run_id),
            )
            audit.append_start(self._connection, run_id, _with_request("resumed", request), models, utc_now())

    def finish_run(self, run_id: str, *, status: str, state: str, error_code: str | None, report_json: str) -> None:
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE runs SET status = ?, state = ?, error_code = ?, report_json = ?, finished_utc = ?"
                " WHERE run_id = ?",
                (status, state, error_code, report_json, utc_now(), run_id),
            )
            audit.append_end(self._connection, run_id, status, report_json, utc_now())

    def runs(self) -> tuple[RunRow, ...]:
        """Newest first; a run whose process is gone is listed as interrupted."""
        with typed_errors():
            whole = "iif(status = 'complete' AND json_valid(report_json), report_json, NULL)"
            branches = f"json_extract({whole}, '$.pipeline_execution.branches')"
            columns = f"runs.*, png, {branches} AS branches_json"
            joined = f"SELECT {columns} FROM runs LEFT JOIN thumbnails USING (run_id)"  # noqa: S608 - names of columns
            rows = self._query(f"{joined} ORDER BY created_utc DESC, runs.rowid DESC")
        return tuple(run_row(row) for row in rows)

    def run(self, run_id: str) -> RunRow:
        return run_row(self._run(run_id))

    def set_thumbnail(self, run_id: str, png: bytes) -> None:
        """Keep the small picture of a run for the list."""
        with transaction(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", (run_id, png))

    def request(self, run_id: str) -> CardiologyRequest:
        """What was asked for; raises StoreError when it is not what the run began with."""
        text = self._run(run_id)["request_json"]
        self._require_unchanged(run_id, audit.REQUEST_HASH, text)
        return request_of(text)

    def report(self, run_id: str) -> Mapping[str, Any] | None:
        """The sealed report, None before the end; raises StoreError when it is not what the run ended with."""
        text = self._run(run_id)["report_json"]
        if text is None:
            return None
        self._require_unchanged(run_id, audit.REPORT_HASH, text)
        return dict(json.loads(text))

    def _require_unchanged(self, run_id: str, kind: str, text: str) -> None:
        with typed_errors():
            noted = audit.noted_hash(self._connection, run_id, kind)
        if noted not in (None, audit.text_hash(text)):
            raise StoreError(f"The stored {kind} of that run was changed or is damaged.", code="E_STORE_DAMAGED")

    def delete_run(self, run_id: str) -> None:
        """Remove a run with everything that only it refers to; refuses one that is going on."""
        with transaction(self._connection):
            if self.run(run_id).status == "running":
                raise StoreError("That run is still going on; cancel it first.", code="E_STORE_LOCKED")
            self._connection.execute("DELETE FROM runs WHERE run_id = ?", (run_id,))
            self._connection.execute(
                "DELETE FROM payload_parts WHERE sha256 NOT IN (SELECT sha256 FROM checkpoint_results)"
            )
            audit.append(self._connection, "delete", run_id, "run deleted", utc_now())

    def _run(self, run_id: str) -> dict[str, Any]:
        with typed_errors():
            found = self._query("SELECT * FROM runs WHERE run_id = ?", run_id)
        if not found:
            raise StoreError("There is no such run in the store.", code="E_STORE_NOT_FOUND")
        return found[0]

    # --- journal ------------------------------------------------------------------------------------

    def append_events(self, events: Sequence[RunEvent]) -> None:
        """Write events in one transaction, and the run's present state with them."""
        if not events:
            return
        rows = [(e.run_id, e.seq, e.time_utc, e.state, e.branch, e.kind, e.fraction, e.code, e.text) for e in events]
        with transaction(self._connection):
            self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._connection.execute(
                "UPDATE runs SET state = ? WHERE run_id = ?", (events[-1].state, events[-1].run_id)
            )

    def events(self, run_id: str) -> tuple[RunEvent, ...]:
        with typed_errors():
            rows = self._query("SELECT * FROM events WHERE run_id = ? ORDER BY seq", run_id)
        return tuple(RunEvent(**row) for row in rows)

    # --- audit --------------------------------------------------------------------------------------

    def note(self, act: audit.Act, run_id: str | None, detail: str) -> audit.AuditHead:
        """Note an act or an alert; `detail` holds no patient data. Returns the new head of the chain."""
        with transaction(self._connection):
            return audit.append(self._connection, act, run_id, detail, utc_now())

    def audit_rows(self) -> tuple[audit.AuditRow, ...]:
        """Every act, oldest first."""
        with typed_errors():
            return audit.read_rows(self._connection)

    def audit_faults(self, known: audit.AuditHead | None = None) -> tuple[audit.AuditFault, ...]:
        """Every place where the audit does not hold; `known` is the head that an exported report holds."""
        with typed_errors():
            self._connection.execute("BEGIN")  # one view of all tables
            try:
                edited = [row["run_id"] for row in self._query("SELECT DISTINCT run_id FROM edits ORDER BY run_id")]
                ended = self._query("SELECT run_id, report_json FROM runs WHERE report_json IS NOT NULL")
                stored = audit.AuditedStore(
                    rows=audit.read_rows(self._connection),
                    head=audit.read_head(self._connection),
                    edits=tuple((run, edit) for run in edited for edit in select_edits(self._connection, run)),
                    reports=tuple((row["run_id"], audit.text_hash(row["report_json"])) for row in ended),
                )
            finally:
                self._connection.execute("COMMIT")
        return tuple(audit.faults(stored, known))

    # --- acts of readers ----------------------------------------------------------------------------

    def note_crash(self, sha256: str, code: str) -> None:
        """Remember that reading an input of this hash ended the process that read it."""
        with transaction(self._connection):
            self._connection.execute(
                "INSERT INTO crashed_inputs (sha256, time_utc, code, n_crashes) VALUES (?, ?, ?, 1)"
                " ON CONFLICT (sha256) DO UPDATE"
                " SET time_utc = excluded.time_utc, code = excluded.code, n_crashes = n_crashes + 1",
                (sha256, utc_now(), code),
            )

    def crashes(self) -> dict[str, int]:
        """Hashes of inputs that ended the process that read them, and how often."""
        with typed_errors():
            return {row["sha256"]: row["n_crashes"] for row in self._query("SELECT * FROM crashed_inputs")}

    def add_edit(self, run_id: str, edit: Edit) -> Edit:
        """Store an act on a run at once; returns it numbered and dated. Raises StoreError."""
        with transaction(self._connection):
            self._run(run_id)
            stored = insert_edit(self._connection, run_id, edit, utc_now())
            audit.append_edit(self._connection, run_id, stored)
        return stored

    def edits(self, run_id: str) -> tuple[Edit, ...]:
        """Every act on a run, in order."""
        with typed_errors():
            return select_edits(self._connection, run_id)

    # --- checkpoints --------------------------------------------------------------------------------

    def save_checkpoint(self, run_id: str, checkpoint: StateCheckpoint) -> None:
        """Rows and payloads in one transaction; a checkpoint of the same state is replaced."""
        payloads = {name: (hashlib.sha256(data).hexdigest(), data) for name, data in _fields(checkpoint).items()}
        key = (run_id, checkpoint.state_id)
        with transaction(self._connection):
            self._connection.execute("DELETE FROM checkpoints WHERE run_id = ? AND state_id = ?", key)
            self._connection.execute(
                "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *key,
                    checkpoint.state_name,
                    checkpoint.timestamp.isoformat(),
                    json.dumps(dict(checkpoint.input_hashes), sort_keys=True),
                    json.dumps(dict(checkpoint.processing_times), sort_keys=True),
                    checkpoint.memory_usage_mb,
                ),
            )
            for name, (sha256, data) in payloads.items():
                self._put(sha256, data)
                self._connection.execute("DELETE FROM partial_results WHERE run_id = ? AND field = ?", (run_id, name))
                self._connection.execute(
                    "INSERT INTO checkpoint_results VALUES (?, ?, ?, ?, ?)",
                    (*key, name, checkpoint.cache_keys.get(name, ""), sha256),
                )

    def load_checkpoint(self, run_id: str, state: State) -> StateCheckpoint:
        """The whole checkpoint; raises StoreError when it is not there or any of it is damaged."""
        with typed_errors():
            rows = self._query("SELECT * FROM checkpoints WHERE run_id = ? AND state_id = ?", run_id, int(state))
            parts = self._result_rows(run_id, state)
        if not rows:
            raise StoreError("The run has no checkpoint of that state.", code="E_STORE_NOT_FOUND")
        row, data = rows[0], {p["field"]: self._get(p["sha256"]) for p in parts}
        report = data.get("validation_result")
        analysis = {n.removeprefix("analysis_result."): d for n, d in data.items() if n.startswith("analysis_result.")}
        return StateCheckpoint(
            state_id=row["state_id"],
            state_name=row["state_name"],
            timestamp=datetime.fromisoformat(row["timestamp"]),
            input_hashes=json.loads(row["input_hashes"]),
            validation_result=None if report is None else codec.decode(ValidationReport, report),
            preprocessed_echo=data.get("preprocessed_echo"),
            preprocessed_ecg=data.get("preprocessed_ecg"),
            preprocessed_metadata=data.get("preprocessed_metadata"),
            detection_result=data.get("detection_result"),
            analysis_result=analysis or None,
            processing_times=json.loads(row["processing_times"]),
            memory_usage_mb=row["memory_usage_mb"],
            cache_keys={p["field"]: p["cache_key"] for p in parts},
        )

    def checkpoint_states(self, run_id: str) -> tuple[State, ...]:
        """The states that this run has saved, in order."""
        with typed_errors():
            rows = self._query("SELECT state_id FROM checkpoints WHERE run_id = ? ORDER BY state_id", run_id)
            return tuple(State(row["state_id"]) for row in rows)

    def checkpoint_rows(self, run_id: str) -> tuple[CheckpointRow, ...]:
        """What the run has saved, without the results themselves."""
        with typed_errors():
            return select_checkpoints(self._connection, run_id)

    def find_result(self, run_id: str, state: State, name: str) -> tuple[str, bytes] | None:
        """(cache key, payload) of one result, None when it is missing; StoreError when it is damaged."""
        with typed_errors():
            for row in self._result_rows(run_id, state):
                if row["field"] == name:
                    return row["cache_key"], self._get(row["sha256"])
        return None

    def save_part(self, run_id: str, name: str, part: int, cache_key: str, data: bytes) -> None:
        """Keep one part of a result that is not finished; the finished result will remove it."""
        sha256 = hashlib.sha256(data).hexdigest()
        with transaction(self._connection):
            self._connection.execute(
                "INSERT OR REPLACE INTO partial_results VALUES (?, ?, ?, ?, ?, ?)",
                (run_id, name, part, cache_key, sha256, data),
            )

    def parts(self, run_id: str, name: str, cache_key: str) -> dict[int, bytes]:
        """The parts of a result that still hold, by number: of the same key, and undamaged."""
        query = "SELECT * FROM partial_results WHERE run_id = ? AND field = ? AND cache_key = ?"
        with typed_errors():
            rows = self._query(query, run_id, name, cache_key)
        return {row["part"]: row["data"] for row in rows if hashlib.sha256(row["data"]).hexdigest() == row["sha256"]}

    def _result_rows(self, run_id: str, state: State) -> list[dict[str, Any]]:
        query = "SELECT * FROM checkpoint_results WHERE run_id = ? AND state_id = ? ORDER BY field"
        return self._query(query, run_id, int(state))

    def _query(self, sql: str, *values: object) -> list[dict[str, Any]]:
        cursor = self._connection.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _put(self, sha256: str, data: bytes) -> None:
        """Store a payload unless it is there, whole; a damaged one is replaced."""
        try:
            self._get(sha256)
            return
        except StoreError:
            self._connection.execute("DELETE FROM payload_parts WHERE sha256 = ?", (sha256,))
        parts = [data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)]
        self._connection.executemany(
            "INSERT INTO payload_parts VALUES (?, ?, ?)", [(sha256, n, part) for n, part in enumerate(parts)]
        )

    def _get(self, sha256: str) -> bytes:
        with typed_errors():
            query = "SELECT data FROM payload_parts WHERE sha256 = ? ORDER BY part"
            data = b"".join(row[0] for row in self._connection.execute(query, (sha256,)))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(
                "A stored result does not match its hash; it will be computed again.", code="E_STORE_DAMAGED"
            )
        return data


def _with_request(word: str, request: CardiologyRequest) -> str:
    """What the audit says of a beginning: with the hash of what was asked for, so that a change of it is seen."""
    return f"{word}, {audit.REQUEST_HASH} sha256 {audit.text_hash(request_json(request))}"
