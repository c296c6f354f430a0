"""Actions that say which connections a POSIX host lets through."""
