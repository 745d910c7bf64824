"""For researchers: every intermediate result by name, and two runs side by side."""
