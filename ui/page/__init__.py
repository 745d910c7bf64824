"""The report as one printed page: painted, so that no browser is needed."""

PAGE_FORM = "pdf"
"""The form of report that the window draws; the others are written by the pipeline."""
