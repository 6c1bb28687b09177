"""Who acts and what they may do: the mechanism. People, sessions and tokens themselves live in the access slice.

Importing this package costs nothing heavy: Cedar, Argon2 and JOSE load when first used.
"""

from alcaide.kernel.access.actor import ANONYMOUS, ROLES, Actor, scope_covers, system_actor
from alcaide.kernel.access.authorizer import Authorizer, Decision, Rule, load_policy_text

__all__ = [
    "ANONYMOUS",
    "ROLES",
    "Actor",
    "Authorizer",
    "Decision",
    "Rule",
    "load_policy_text",
    "scope_covers",
    "system_actor",
]
