"""What a route asks before it runs: which instance, who is it, may they.

Every route names one of two things: `allow("…")`, an action that the policies decide about, or `public("…")`, the
reason why nobody needs to be asked. Both leave a mark on the dependency, and a test that walks all routes fails on
one that carries neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from starlette.requests import Request

from alcaide.kernel.errors import NotAllowed, SignInNeeded

if TYPE_CHECKING:
    from alcaide.kernel.access import Actor
    from alcaide.kernel.instance import Instance

Resource = Mapping[str, str] | Callable[[Request], Mapping[str, str] | None] | None


def get_instance(request: Request) -> Instance:
    """The installation this request is served by."""
    return cast("Instance", request.app.state.instance)


def current_actor(request: Request) -> Actor:
    """Who is asking: found once a request by the access slice's `identify`, then remembered with the request.

    Somebody unknown is the anonymous actor, never None and never an error.
    """
    known = getattr(request.state, "actor", None)
    if known is None:
        known = request.app.state.identify(request)
        request.state.actor = known
    return cast("Actor", known)


def allow(action: str, resource: Resource = None) -> Callable[[Request], Actor]:
    """A dependency that lets the request through only if the policies allow `action`, and gives its actor.

    Somebody not signed in is asked to sign in, as that may be all that is missing; anybody else learns which rule
    said no, whose it is and what to do next. `resource` may be read from the request; where it takes the database
    to know it, the service asks `require` once more with what it read.
    """

    def check(request: Request) -> Actor:
        actor = current_actor(request)
        about = resource(request) if callable(resource) else resource
        require(request, actor, action, about)
        return actor

    check.alcaide_action = action  # type: ignore[attr-defined]
    check.__name__ = f"allow_{action.replace('.', '_').replace('-', '_')}"
    return check


def require(request: Request, actor: Actor, action: str, resource: Mapping[str, str] | None = None) -> None:
    """Raise unless `actor` may do `action` to `resource`."""
    decision = get_instance(request).authorizer.decide(actor, action, resource)
    if decision.allowed:
        return
    if actor.kind == "anonymous":
        raise SignInNeeded("sign in to go on")
    raise NotAllowed(
        f"`{actor.name}` may not do `{action}` here",
        rule=decision.rule,
        owner=decision.owner,
        next_step=decision.next_step,
    )


def public(reason: str) -> Callable[[], None]:
    """A dependency that marks a route as open to anybody, and says why that is right."""
    if not reason.strip():
        raise ValueError("a public route states its reason")

    def open_to_all() -> None:
        """Ask nothing."""

    open_to_all.alcaide_public = reason  # type: ignore[attr-defined]
    return open_to_all
