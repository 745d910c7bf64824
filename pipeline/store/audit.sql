-- Version 4: the audit becomes a chain of hashes that only grows.
-- audit_hash(seq, time_utc, act, run_id, detail, previous_hash) is a function of the connection (pipeline/store/audit.py).
ALTER TABLE audit RENAME TO audit_unchained;

CREATE TABLE audit (
    seq           INTEGER PRIMARY KEY,
    time_utc      TEXT NOT NULL,
    act           TEXT NOT NULL,
    run_id        TEXT,
    detail        TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    row_hash      TEXT NOT NULL
) STRICT;

INSERT INTO audit
WITH RECURSIVE
    numbered AS (
        SELECT row_number() OVER (ORDER BY audit_id) AS seq, time_utc, act, run_id, detail FROM audit_unchained
    ),
    chained AS (
        SELECT seq, time_utc, act, run_id, detail, '' AS previous_hash,
               audit_hash(seq, time_utc, act, run_id, detail, '') AS row_hash
        FROM numbered WHERE seq = 1
        UNION ALL
        SELECT n.seq, n.time_utc, n.act, n.run_id, n.detail, c.row_hash,
               audit_hash(n.seq, n.time_utc, n.act, n.run_id, n.detail, c.row_hash)
        FROM chained AS c JOIN numbered AS n ON n.seq = c.seq + 1
    )
SELECT * FROM chained;

DROP TABLE audit_unchained;

-- Where the chain ends: a row cut off at its end is missed.
CREATE TABLE audit_head (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    n_rows    INTEGER NOT NULL,
    head_hash TEXT NOT NULL
) STRICT;

INSERT INTO audit_head
SELECT 1, count(*), coalesce((SELECT row_hash FROM audit ORDER BY seq DESC LIMIT 1), '') FROM audit;

CREATE TRIGGER audit_only_at_the_end BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT n_rows FROM audit_head) + 1 OR NEW.previous_hash <> (SELECT head_hash FROM audit_head)
BEGIN
    SELECT RAISE(ABORT, 'the audit grows only at its end');
END;

CREATE TRIGGER audit_head_follows AFTER INSERT ON audit
BEGIN
    UPDATE audit_head SET n_rows = NEW.seq, head_hash = NEW.row_hash;
END;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;

CREATE TRIGGER audit_head_is_the_last_row BEFORE UPDATE ON audit_head
WHEN NEW.n_rows <> OLD.n_rows + 1 OR NEW.id <> 1
    OR NEW.head_hash IS NOT (SELECT row_hash FROM audit WHERE seq = NEW.n_rows)
BEGIN
    SELECT RAISE(ABORT, 'the head of the audit is its last row');
END;

CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;

-- Acts of readers are undone by later acts, never changed; they go only with their run.
CREATE TRIGGER edits_are_not_changed BEFORE UPDATE ON edits
BEGIN
    SELECT RAISE(ABORT, 'acts of readers are only added');
END;
