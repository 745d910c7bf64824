"""ECG: readers, filters, beats, delineation, intervals, rhythm, heart-rate variability."""
