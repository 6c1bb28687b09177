"""Credentials in text: keys of several hundred providers, key files, passwords, addresses with passwords."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.secrets.detector import SECRETS, Secrets

__all__ = ["SECRETS", "Secrets"]
