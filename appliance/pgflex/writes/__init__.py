"""Schemaless writes: documents go in, collections and fields appear where they are new."""
