"""Before training: a ladder of checks, each with what was expected, what was seen and what to change."""
