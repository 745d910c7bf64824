"""One pure function for each state: frozen records in, frozen records out."""
