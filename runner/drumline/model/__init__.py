"""Immutable data without I/O: the types that all layers share."""
