"""How Alcaide decides: verdicts, views of the evidence, and the requirement language.

Everything here is pure. Evidence, policy and the time come in as arguments; a verdict comes out, so an old
decision can be replayed and gives the same answer. No database, no clock, no network; finding the evidence
and recording a decision are left to those who call.

`verdict` and `view` are small and loaded here. The language itself (`requirement`, `evaluate`, `source`) is
imported by those who use it, so that starting a command that decides nothing stays quick.
"""

from alcaide.kernel.policy.verdict import Failed, Passed, Unknown, Verdict, all_of, any_of
from alcaide.kernel.policy.view import EvidenceView, Record

__all__ = ["EvidenceView", "Failed", "Passed", "Record", "Unknown", "Verdict", "all_of", "any_of"]
