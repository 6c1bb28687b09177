"""Personal data: identifiers with their checksums, contact details, names, places, addresses, special categories."""

from alcaide.instruments.guard.detectors.personal_data.detector import PersonalData

PERSONAL_DATA = PersonalData()

__all__ = ["PERSONAL_DATA", "PersonalData"]
