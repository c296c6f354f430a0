"""Text to model: YAML with positions, the schema of playbooks, inventories, variables and templates."""
