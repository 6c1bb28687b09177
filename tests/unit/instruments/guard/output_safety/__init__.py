"""Tests of the detectors that look at answers."""
