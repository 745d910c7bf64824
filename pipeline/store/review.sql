-- Version 3: what readers change, and files that ended a reader's process.

-- Every act of a reader on a run, in order; rows are only added. What holds now is the fold over them:
-- an undone act is undone by a later row that names it. A value is canonical JSON; 'null' is the pipeline's own.
CREATE TABLE edits (
    run_id      TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,
    time_utc    TEXT NOT NULL,
    role        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    target      TEXT NOT NULL,
    before_json TEXT NOT NULL,
    after_json  TEXT NOT NULL,
    undoes      INTEGER,
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE crashed_inputs (
    sha256     TEXT PRIMARY KEY,
    time_utc   TEXT NOT NULL,
    code       TEXT NOT NULL,
    n_crashes  INTEGER NOT NULL
) STRICT;
