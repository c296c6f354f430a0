"""Templates: jinja2 in bounds, its filters, tests and lookups, and what is wrong with a template."""
