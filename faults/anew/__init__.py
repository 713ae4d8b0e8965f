"""The part that is anew: the usual mistakes in networks, data and loops of an outside person's, held out."""
