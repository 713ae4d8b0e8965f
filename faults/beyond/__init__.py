"""The part of the corpus that is held out last: its networks, data and loops are in no other part."""
