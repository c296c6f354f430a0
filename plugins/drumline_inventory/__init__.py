"""drumline's bundled plugin: inventory."""
