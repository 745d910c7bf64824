"""Clinical rules on measured numbers: metadata, reference ranges, cross-checks, risk scores."""
