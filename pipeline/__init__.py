"""Chordae without a screen: reads, measures, fuses, scores and reports; never imports Qt."""
