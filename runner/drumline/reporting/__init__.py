"""What people see of a run. Reports read only events, so a live run and an earlier one look the same."""
