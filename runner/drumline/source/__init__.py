"""Reading the author's files: text with positions, YAML, durations, quotes, and the mistakes in them."""
