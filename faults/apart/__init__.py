"""The part of the corpus that is held out now: its networks, data and loops are in no other part."""
