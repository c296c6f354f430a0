"""What is odd about a plan though nothing is wrong with it, found by trying it out."""
