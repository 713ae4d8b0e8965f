"""What is in the data before anything is trained on it: duplicates, leaks, blank and broken images."""
