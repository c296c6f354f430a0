"""Actions for Windows alone, with the names that Ansible's collections for Windows give them."""
