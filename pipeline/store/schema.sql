-- Version 1. Times are ISO 8601 UTC; *_json columns hold canonical JSON.
CREATE TABLE runs (
    run_id        TEXT PRIMARY KEY,
    created_utc   TEXT NOT NULL,
    finished_utc  TEXT,
    status        TEXT NOT NULL CHECK (status IN ('running', 'complete', 'error', 'cancelled')),
    state         TEXT NOT NULL,
    request_json  TEXT NOT NULL,
    inputs_json   TEXT NOT NULL,
    error_code    TEXT,
    report_json   TEXT,
    owner_pid     INTEGER,
    owner_started REAL
) STRICT;

CREATE TABLE events (
    run_id   TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    seq      INTEGER NOT NULL,
    time_utc TEXT NOT NULL,
    state    TEXT NOT NULL,
    branch   TEXT,
    kind     TEXT NOT NULL,
    fraction REAL,
    code     TEXT,
    text     TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

-- A result by its own hash, in parts so that no single value comes near SQLite's limit.
CREATE TABLE payload_parts (
    sha256 TEXT NOT NULL,
    part   INTEGER NOT NULL,
    data   BLOB NOT NULL,
    PRIMARY KEY (sha256, part)
) STRICT;

-- One row for each state saved in a run: the fields of the specification, results by hash.
CREATE TABLE checkpoints (
    run_id               TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    state_id             INTEGER NOT NULL,
    state_name           TEXT NOT NULL,
    timestamp            TEXT NOT NULL,
    input_hashes         TEXT NOT NULL,
    processing_times     TEXT NOT NULL,
    memory_usage_mb      REAL NOT NULL,
    PRIMARY KEY (run_id, state_id)
) STRICT;

-- The results that a checkpoint holds, by field of the specification, with the key of all they depend on.
CREATE TABLE checkpoint_results (
    run_id    TEXT NOT NULL,
    state_id  INTEGER NOT NULL,
    field     TEXT NOT NULL,
    cache_key TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    PRIMARY KEY (run_id, state_id, field),
    FOREIGN KEY (run_id, state_id) REFERENCES checkpoints (run_id, state_id) ON DELETE CASCADE
) STRICT;

CREATE TABLE audit (
    audit_id INTEGER PRIMARY KEY,
    time_utc TEXT NOT NULL,
    run_id   TEXT,
    act      TEXT NOT NULL,
    detail   TEXT NOT NULL
) STRICT;
