"""Actions for packages: of Debian, of Red Hat, of Python, and of whatever else a host has."""
