"""Actions that look for files on hosts, read them, put them together and unpack them."""
