"""Pure planning: graphs, expansion to steps and waves, and a plan in words."""
