"""Carrying a plan out: the pure state, and the driver, sessions and executors around it."""
