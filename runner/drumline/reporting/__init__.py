"""What people see of a run. A report reads events and nothing else, so a live run and an old one look alike."""
