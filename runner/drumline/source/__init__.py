"""Text with positions: the author's files, YAML, durations, quotes, and the mistakes in them."""
