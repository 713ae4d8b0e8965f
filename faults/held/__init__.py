"""The part of the corpus that is held out: networks, data and loops that no rule was tuned on, written before any was looked at."""
