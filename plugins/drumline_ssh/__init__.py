"""drumline's bundled plugin: ssh."""
