"""Pure planning: graphs, expansion into steps and waves, and views of a plan."""
