"""What a run has saved, without the results themselves."""

from __future__ import annotations

import json
import sqlite3

from pipeline.records import CheckpointRow, PayloadRow

ROWS = """
SELECT state_id, state_name, timestamp, input_hashes, processing_times, memory_usage_mb
FROM checkpoints WHERE run_id = ? ORDER BY state_id
"""
PAYLOADS = """
SELECT r.state_id, r.field, r.sha256, r.cache_key, coalesce(sum(length(p.data)), 0)
FROM checkpoint_results r LEFT JOIN payload_parts p ON p.sha256 = r.sha256
WHERE r.run_id = ? GROUP BY r.state_id, r.field ORDER BY r.state_id, r.field
"""


def select_checkpoints(connection: sqlite3.Connection, run_id: str) -> tuple[CheckpointRow, ...]:
    """Every checkpoint of a run in the order of the states; a payload that is gone has no bytes."""
    payloads: dict[int, list[PayloadRow]] = {}
    for state_id, name, sha256, cache_key, size in connection.execute(PAYLOADS, (run_id,)):
        row = PayloadRow(name=name, sha256=sha256, size_bytes=size, cache_key=cache_key)
        payloads.setdefault(state_id, []).append(row)
    return tuple(
        CheckpointRow(
            state=name,
            time_utc=stamp,
            input_hashes=json.loads(inputs),
            processing_times_ms=json.loads(times),
            memory_mb=memory,
            payloads=tuple(payloads.get(state_id, ())),
        )
        for state_id, name, stamp, inputs, times, memory in connection.execute(ROWS, (run_id,))
    )
