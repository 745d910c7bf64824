"""The report as one printed page: painted, so that no browser is needed."""
