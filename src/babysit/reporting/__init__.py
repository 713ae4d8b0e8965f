"""Showing a run. No torch."""
