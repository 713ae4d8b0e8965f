"""Layers PyTorch lacks or runs slowly, and the integers of every layer."""
