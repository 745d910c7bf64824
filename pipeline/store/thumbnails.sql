-- Version 5: a small picture of each run for the list of cases.
CREATE TABLE thumbnails (
    run_id TEXT PRIMARY KEY REFERENCES runs (run_id) ON DELETE CASCADE,
    png    BLOB NOT NULL
) STRICT;
