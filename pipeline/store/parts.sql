-- Version 2: parts of a result that is still being made; the finished result takes their place.
CREATE TABLE partial_results (
    run_id    TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    field     TEXT NOT NULL,
    part      INTEGER NOT NULL,
    cache_key TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    data      BLOB NOT NULL,
    PRIMARY KEY (run_id, field, part)
) STRICT;
