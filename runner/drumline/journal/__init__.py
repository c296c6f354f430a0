"""The journal: what happened in each run, durable before anything depends on it."""
