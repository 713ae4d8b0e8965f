"""What was seen: observations, diagnoses, the log, and the run directory."""
