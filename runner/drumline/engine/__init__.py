"""The pure engine: a run's state, and everything that decides. No thread, clock, socket or random source."""
