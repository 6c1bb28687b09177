"""Berth planning for Example Harbour Authority, which does not exist."""
