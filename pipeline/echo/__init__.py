"""Echo: readers, calibration, chamber segmentation, volumes, cardiac cycle, wall motion."""
