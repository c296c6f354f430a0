"""drumline's bundled plugin: winrm."""
