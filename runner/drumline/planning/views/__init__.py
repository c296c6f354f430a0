"""A plan for readers: text, JSON and Graphviz."""
