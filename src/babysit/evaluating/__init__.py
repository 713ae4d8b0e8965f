"""Honest numbers: calibration after training, the counted look at the test part, comparisons, suspected labels."""
