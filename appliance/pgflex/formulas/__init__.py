"""Computed fields: a small typed language, its SQL, and the generated columns made of it."""
