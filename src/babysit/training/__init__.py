"""The training itself: names into things, the loop, and its consumers."""
