"""The SQLite file: runs, events, checkpoints; and the codec of their payloads."""
