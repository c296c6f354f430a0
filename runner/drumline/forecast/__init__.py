"""Time ahead: how long a run will take, from what earlier runs took and from the engine itself in virtual time."""
