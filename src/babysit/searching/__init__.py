"""Searching settings: the learning-rate range test, and coarse to fine."""
