"""Frozen data without I/O: the nouns that all layers share."""
