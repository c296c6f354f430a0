"""drumline's bundled plugin: local."""
