"""Actions that divide disks of POSIX hosts, and put file systems on them."""
