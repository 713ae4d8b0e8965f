"""The part of the corpus that comes from outside: held out."""
