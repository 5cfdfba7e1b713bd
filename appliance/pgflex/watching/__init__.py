"""Watching: counts of changes, what is usual, what is not, and digests."""
