"""Alerts: rules over rows or an aggregate, watched through the feed, each crossing told once."""
