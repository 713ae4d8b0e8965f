"""How weights are updated, and how fast."""
