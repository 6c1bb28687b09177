"""The only writer of accounts, sessions, tokens and links. Each change and its evidence commit together.

Every function asks the authorizer itself, so a skin that forgets to ask gives nothing away.
"""

from alcaide.slices.access.service.housekeeping import tidy
from alcaide.slices.access.service.links import (
    first_run_link,
    look_at_link,
    make_link,
    use_first_run_link,
    use_link,
)
from alcaide.slices.access.service.people import (
    change_password,
    create_user,
    disable_user,
    enable_user,
    rename,
    set_roles,
)
from alcaide.slices.access.service.roles import define_role, remove_role
from alcaide.slices.access.service.second_factor import (
    confirm_totp,
    remove_totp,
    remove_totp_of,
    renew_recovery_codes,
    start_totp,
    waiting_totp,
)
from alcaide.slices.access.service.sessions import (
    SignInRefused,
    end_other_sessions,
    identify,
    revoke_session,
    session_cookie,
    session_id_of,
    sign_out,
    who,
)
from alcaide.slices.access.service.sign_in import finish_sign_in, sign_in
from alcaide.slices.access.service.single_sign_on import CALLBACK_PATH, finish_sso, provider, start_sso
from alcaide.slices.access.service.tokens import create_token, revoke_token

__all__ = [
    "CALLBACK_PATH",
    "SignInRefused",
    "change_password",
    "confirm_totp",
    "create_token",
    "create_user",
    "define_role",
    "disable_user",
    "enable_user",
    "end_other_sessions",
    "finish_sign_in",
    "finish_sso",
    "first_run_link",
    "identify",
    "look_at_link",
    "make_link",
    "provider",
    "remove_role",
    "remove_totp",
    "remove_totp_of",
    "rename",
    "renew_recovery_codes",
    "revoke_session",
    "revoke_token",
    "session_cookie",
    "session_id_of",
    "set_roles",
    "sign_in",
    "sign_out",
    "start_sso",
    "start_totp",
    "tidy",
    "use_first_run_link",
    "use_link",
    "waiting_totp",
    "who",
]
