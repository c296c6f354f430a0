"""drumline's bundled plugin: lab."""
