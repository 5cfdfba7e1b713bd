"""Shapes: subsets of a collection that clients keep in step with, in ElectricSQL's protocol."""
