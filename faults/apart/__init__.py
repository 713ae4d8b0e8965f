"""The part of the corpus that was held out before the last: its networks, data and loops are in no other part."""
