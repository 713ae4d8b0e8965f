"""The command line: one file per verb. Each parses into options, calls `api`, prints, and returns an exit code."""
