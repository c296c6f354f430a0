"""Actions for services: those of systemd, of OpenRC, and of init scripts."""
