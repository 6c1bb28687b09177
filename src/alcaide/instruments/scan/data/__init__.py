"""Looks at data sets."""
