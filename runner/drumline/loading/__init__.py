"""From playbooks as text to the model: their schema, checks, and variables of the command line."""
