"""The only writer of the supply chain: scans that people ask for, what they found, and the places that are watched."""

from alcaide.slices.supply_chain.service.asking import cancel_scan, scan_again, scan_folder, scan_upload
from alcaide.slices.supply_chain.service.datasets import look_at_data, record_data
from alcaide.slices.supply_chain.service.looking import look, run_scan, tidy
from alcaide.slices.supply_chain.service.recording import record_report, record_verification, trusted_pems
from alcaide.slices.supply_chain.service.uploads import Quarantined
from alcaide.slices.supply_chain.service.watching import add_watch, look_into_watches, remove_watch

__all__ = [
    "Quarantined",
    "add_watch",
    "cancel_scan",
    "look",
    "look_at_data",
    "look_into_watches",
    "record_data",
    "record_report",
    "record_verification",
    "remove_watch",
    "run_scan",
    "scan_again",
    "scan_folder",
    "scan_upload",
    "tidy",
    "trusted_pems",
]
