"""Actions for the system itself: users and groups, its name, its jobs, keys, kernel settings, mounts, and reboots."""
