"""Playbooks for other orchestrators: which tasks can stand alone there, and the files that these read."""
