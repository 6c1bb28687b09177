"""Time-based one-time passwords, RFC 6238: six digits, thirty seconds, SHA-1, as every authenticator app expects.

Pure but for the random secret: the moment is an argument, and so is the last step that was used. A code is
good once: a step at or before the last used one never verifies again, whoever typed it.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime

STEP_SECONDS = 30
WINDOW_STEPS = 1
"""One step either side: clocks of phones and servers may be 30 s apart (RFC 6238 §5.2 advises at most one step)."""
_CODE = re.compile(r"[0-9]{6}\Z")


def new_totp_secret() -> str:
    """160 random bits in base32, as RFC 4226 §4 R6 recommends."""
    import pyotp

    return pyotp.random_base32(32)


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """The `otpauth://` address that an authenticator app reads from the QR code."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def qr_data_uri(text: str) -> str:
    """A QR code as an SVG data address: shown with `<img>`, no request leaves the page."""
    import segno

    return segno.make(text, error="m").svg_data_uri(scale=5, border=2, light="#fff", dark="#000")


def step_of(moment: datetime) -> int:
    """The number of the thirty seconds that `moment` lies in."""
    return int(moment.timestamp()) // STEP_SECONDS


def verify_totp(secret: str, typed: str, moment: datetime, last_step: int) -> int | None:
    """The step whose code was typed, to be kept as the next `last_step`; None if the code is wrong or used."""
    import pyotp

    code = re.sub(r"\s", "", typed[:16])
    if not _CODE.match(code):
        return None
    totp, now = pyotp.TOTP(secret), step_of(moment)
    found: int | None = None
    for step in range(now - WINDOW_STEPS, now + WINDOW_STEPS + 1):
        # Every step is compared, so that how long it takes does not tell which one was close.
        if hmac.compare_digest(totp.generate_otp(step), code) and step > last_step:
            found = step
    return found
