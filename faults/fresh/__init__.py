"""The part of the corpus that is held out now: networks, data and loops that nobody looked at while a rule was mended."""
