"""Plays that are generated from tables of metadata: tables, the patterns that they fill in, and rules between rows."""
