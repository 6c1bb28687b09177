"""Signing in and out: password, second factor, provider, first run, and one-time links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alcaide.kernel.access.oidc import OidcRefused
from alcaide.kernel.errors import AlcaideError, InvalidInput, TooMany
from alcaide.slices.access import rules, service
from alcaide.slices.access.model import SecondStep
from alcaide.slices.access.pages.cookies import (
    SSO,
    STEP,
    drop_session,
    forget,
    keep,
    keep_session,
    present_session,
    visitor,
)
from alcaide.ui import redirect, render
from alcaide.ui.deps import current_actor, get_instance, public

router = APIRouter()

_ANYBODY = [Depends(public("whoever signs in is nobody yet"))]
_LINK_HOLDER = [Depends(public("the one-time link is the permission"))]
_PASSWORD_HINT = (
    f"At least {rules.PASSWORD_SHORTEST} characters. Four unrelated words are strong and easy to remember."
)
Text = Annotated[str, Form(max_length=1000)]
Onward = Annotated[str, Query(alias="next", max_length=2000)]
OnwardText = Annotated[str, Form(alias="next", max_length=2000)]


@dataclass(frozen=True)
class SignInPage:
    """The sign-in form; `problem` is why the last try did not work."""

    next: str
    email: str = ""
    problem: str = ""
    sso_name: str = ""


@dataclass(frozen=True)
class CodePage:
    """The second step."""

    problem: str = ""


@dataclass(frozen=True)
class ChoosePage:
    """Choosing a password: the first administrator's, or by a one-time link."""

    key: str
    heading: str
    first_run: bool
    email: str = ""
    name: str = ""
    password_hint: str = _PASSWORD_HINT
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@router.get("/sign-in", dependencies=_ANYBODY)
def sign_in_form(request: Request, onward: Onward = "/") -> Response:
    """Show the form, or go on if somebody is signed in already."""
    where = rules.safe_path(onward)
    if current_actor(request).signed_in:
        return redirect(where)
    return render(request, "access/sign_in.html", _sign_in_page(request, where))


@router.post("/sign-in", dependencies=_ANYBODY)
def sign_in(request: Request, email: Text = "", password: Text = "", onward: OnwardText = "/") -> Response:
    """Check address and password; ask for the second factor where there is one."""
    where = rules.safe_path(onward)
    try:
        outcome = service.sign_in(
            get_instance(request),
            email=email,
            password=password,
            visitor=visitor(request),
            replaces=present_session(request),
            next_path=where,
        )
    except (service.SignInRefused, TooMany) as problem:
        page = _sign_in_page(request, where, email=email[:254], problem=str(problem))
        return render(request, "access/sign_in.html", page, problem.status, _retry_after(problem))
    if isinstance(outcome, SecondStep):
        response = redirect("/sign-in/code")
        keep(request, response, STEP, outcome.pending)
        return response
    response = redirect(outcome.next_path)
    keep_session(request, response, outcome)
    return response


@router.get("/sign-in/code", dependencies=_ANYBODY)
def code_form(request: Request) -> Response:
    """Ask for the second factor."""
    if STEP not in request.cookies:
        return redirect("/sign-in")
    return render(request, "access/code.html", CodePage())


@router.post("/sign-in/code", dependencies=_ANYBODY)
def code(request: Request, code: Text = "") -> Response:
    """Check the second factor."""
    try:
        signed_in = service.finish_sign_in(
            get_instance(request),
            pending_secret=request.cookies.get(STEP, ""),
            code=code,
            visitor=visitor(request),
            replaces=present_session(request),
        )
    except (service.SignInRefused, TooMany) as problem:
        page = CodePage(problem=str(problem))
        return render(request, "access/code.html", page, problem.status, _retry_after(problem))
    response = redirect(signed_in.next_path)
    keep_session(request, response, signed_in)
    return response


@router.get("/sign-in/sso", dependencies=_ANYBODY)
def sso(request: Request, onward: Onward = "/") -> Response:
    """Send the browser to the provider.

    A link and not a form: the page's policy lets forms go nowhere else.
    """
    departure = service.start_sso(
        get_instance(request), next_path=rules.safe_path(onward), visitor=visitor(request)
    )
    response = RedirectResponse(departure.url, status_code=303, headers={"Cache-Control": "no-store"})
    keep(request, response, SSO, departure.cookie)
    return response


@router.get(service.CALLBACK_PATH, dependencies=_ANYBODY)
def sso_answer(request: Request) -> Response:
    """Take the provider's answer."""
    try:
        signed_in = service.finish_sso(
            get_instance(request),
            answer=dict(request.query_params),
            cookie=request.cookies.get(SSO, ""),
            visitor=visitor(request),
            replaces=present_session(request),
        )
    except (OidcRefused, service.SignInRefused) as problem:
        page = _sign_in_page(request, "/", problem=str(problem))
        refused = render(request, "access/sign_in.html", page, problem.status)
        forget(request, refused, SSO)
        return refused
    response = redirect(signed_in.next_path)
    keep_session(request, response, signed_in)
    return response


@router.post("/sign-out", dependencies=[Depends(public("ending one's own session needs no permission"))])
def sign_out(request: Request) -> Response:
    """End this session."""
    service.sign_out(get_instance(request), request.cookies)
    response = redirect("/sign-in", flash="You are signed out.")
    drop_session(request, response)
    return response


@router.get("/first-run", dependencies=_LINK_HOLDER)
def first_run_form(request: Request, key: str = "") -> Response:
    """Show the form by which the first administrator is made."""
    service.look_at_link(get_instance(request), key, visitor(request))
    page = ChoosePage(key=key, heading="Make the first administrator", first_run=True)
    return render(request, "access/choose_password.html", page)


@router.post("/first-run", dependencies=_LINK_HOLDER)
def first_run(
    request: Request, key: Text = "", email: Text = "", name: Text = "", password: Text = ""
) -> Response:
    """Make the first administrator and sign them in."""
    try:
        signed_in = service.use_first_run_link(
            get_instance(request), key, email=email, name=name, password=password, visitor=visitor(request)
        )
    except InvalidInput as problem:
        page = ChoosePage(
            key=key,
            heading="Make the first administrator",
            first_run=True,
            email=email,
            name=name,
            errors=problem.fields,
        )
        return render(request, "access/choose_password.html", page, 422)
    response = redirect("/", flash=f"Welcome, {signed_in.user.name}. This installation is yours to run.")
    keep_session(request, response, signed_in)
    return response


@router.get("/set-password", dependencies=_LINK_HOLDER)
def set_password_form(request: Request, key: str = "") -> Response:
    """Show the form by which somebody chooses a password."""
    _, user = service.look_at_link(get_instance(request), key, visitor(request))
    if user is None:
        return redirect(f"/first-run?key={key}") if key.isalnum() else redirect("/sign-in")
    page = ChoosePage(key=key, heading=f"Choose a password, {user.name}", first_run=False, email=user.email)
    return render(request, "access/choose_password.html", page)


@router.post("/set-password", dependencies=_LINK_HOLDER)
def set_password(request: Request, key: Text = "", password: Text = "") -> Response:
    """Set the password and ask to sign in with it: that also asks for the second factor."""
    try:
        service.use_link(get_instance(request), key, password=password, visitor=visitor(request))
    except InvalidInput as problem:
        page = ChoosePage(key=key, heading="Choose a password", first_run=False, errors=problem.fields)
        return render(request, "access/choose_password.html", page, 422)
    response = redirect("/sign-in", flash="Your password is set. Sign in with it.")
    drop_session(request, response)
    return response


def _sign_in_page(request: Request, where: str, *, email: str = "", problem: str = "") -> SignInPage:
    settings = service.provider(get_instance(request))
    return SignInPage(
        next=where, email=email, problem=problem, sso_name=settings.name if settings is not None else ""
    )


def _retry_after(problem: AlcaideError) -> dict[str, str]:
    return {"Retry-After": str(problem.retry_after)} if isinstance(problem, TooMany) else {}
