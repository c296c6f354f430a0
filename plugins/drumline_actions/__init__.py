"""drumline's bundled plugin: actions."""
