"""What is valid in a plan but suspicious, found by trying the plan out."""
