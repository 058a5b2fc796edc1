"""Measurements: retrieval on third-party sets, and speed as ratios against something run beside it."""
