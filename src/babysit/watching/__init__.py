"""Watching: the watcher in anybody's training loop."""
