"""Actions that edit text files of hosts: a line, a block, what an expression matches, a setting."""
