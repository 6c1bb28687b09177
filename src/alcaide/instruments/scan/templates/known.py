"""What a chat template may use: the names that are known to be harmless, and those known to lead out.

Whatever is in neither list cannot be decided, and is reported as that. The sources are the environments in which
templates are rendered: `transformers` (`apply_chat_template`), llama.cpp and vLLM, and the built-ins of Jinja 3.1.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


EDITION = "2026-01"
"""Changes whenever a list below does; a report names it."""

FUNCTIONS = _names(
    """
    raise_exception strftime_now range namespace dict cycler joiner lipsum caller super loop
    raise_error raise now
    """
)
"""Callable by name. A loop calls itself where it is recursive; `caller` and `super` belong to macros and blocks."""

BUILT_INS = _names(
    """
    range namespace dict cycler joiner lipsum caller raise_exception strftime_now
    """
)
"""Functions of the environment: reaching into one is the first step out of a template."""

BUILT_IN_ATTRIBUTES = frozenset({"fromkeys"})

METHODS = _names(
    """
    strip lstrip rstrip split rsplit splitlines partition rpartition startswith endswith
    removeprefix removesuffix replace upper lower title capitalize casefold swapcase join find rfind
    index rindex count isdigit isalpha isalnum isspace isupper islower isnumeric isdecimal zfill
    ljust rjust center expandtabs items keys values get append extend insert pop popitem update
    setdefault copy clear remove reverse sort fromkeys cycle next reset changed strftime isoformat
    add discard union intersection difference encode decode format translate has_key
    """
)
"""Of strings, lists, dictionaries, loops and cyclers: none of them leads anywhere."""

FILTERS = _names(
    """
    abs batch capitalize center count d default dictsort e escape filesizeformat first float
    forceescape format groupby indent int items join last length list lower map max min pprint
    random reject rejectattr replace reverse round safe select selectattr slice sort string
    striptags sum title tojson trim truncate unique upper urlencode urlize wordcount wordwrap
    xmlattr from_json fromjson strftime to_json json
    """
)
"""Jinja's own but for `attr`, and those that programs which render chat templates add."""

TESTS = _names(
    """
    != < <= == > >= boolean callable defined divisibleby eq equalto escaped even false filter float
    ge greaterthan gt in integer iterable le lessthan lower lt mapping ne none number odd sameas
    sequence string test true undefined upper contains startswith endswith startingwith endingwith
    match search
    """
)

ATTRIBUTE_FILTERS = _names(
    """
    map selectattr rejectattr groupby sort sum min max unique join dictsort
    """
)
"""Filters that take the name of an attribute, which may be a way of several steps (`a.b.c`)."""

INTERNAL = _names(
    """
    mro func_globals func_code func_closure func_defaults func_dict im_class im_func im_self
    gi_frame gi_code gi_yieldfrom cr_frame cr_code cr_await cr_origin ag_frame ag_code ag_await
    f_globals f_locals f_builtins f_back f_code tb_frame tb_next co_code co_consts co_names
    environment_class
    """
)
"""Attributes of Python's own machinery without underscores: what Jinja's sandbox calls internal."""

DUNDERS = _names(
    """
    __class__ __base__ __bases__ __mro__ __subclasses__ __init__ __new__ __globals__ __builtins__
    __import__ __dict__ __getattribute__ __getattr__ __setattr__ __call__ __code__ __func__ __self__
    __module__ __loader__ __spec__ __reduce__ __reduce_ex__ __getitem__ __closure__ __wrapped__
    __init_subclass__ __enter__ __exit__ __doc__ __name__ __qualname__ __file__ __delattr__
    __subclasshook__ __objclass__ __weakref__ __annotations__ __traceback__ __context__ __cause__
    __format__ __str__ __repr__
    """
)

ACTS = _names(
    """
    popen system eval exec execfile compile spawn spawnl spawnv execv execve execl fork check_output
    check_call Popen run getoutput getstatusoutput import_module load_module exec_module open
    urlopen urlretrieve socket connect loads remove_file unlink rmtree chmod putenv getenv modules
    builtins globals locals vars getattr setattr input breakpoint from_string get_template read
    write read_text write_text subclasses environ import_string
    """
)
"""Names that act once they are reached; nothing a conversation holds is called so and then called."""

FRAMEWORK = _names(
    """
    config request session g url_for get_flashed_messages application app current_app
    """
)
"""Names that web frameworks put into every template."""

HOSTS = _names(
    """
    huggingface.co hf.co json-schema.org schema.org www.w3.org w3.org example.com www.example.com
    github.com raw.githubusercontent.com spec.openapis.org tools.ietf.org www.rfc-editor.org
    en.wikipedia.org localhost
    """
)
"""Addresses that templates mention for what they define, not for the model to visit."""

NEUTRAL = _names(
    """
    lower upper trim string safe title replace default d strip lstrip rstrip casefold e list split
    first last capitalize join
    """
)
"""Filters and methods that leave what was written what it was."""

PARTS = _names(
    """
    image images image_url video videos video_url audio audios audio_url input_audio text type file
    document tool tools function user assistant system http https json thinking think
    """
)
"""Words that templates look for in content because they name a part of it, not because a user said them."""

LOOKING_TESTS = _names(
    """
    in contains startswith endswith eq equalto == match search startingwith endingwith
    """
)

PHRASES: tuple[tuple[str, ...], ...] = (
    (
        "to ignore its instructions",
        r"\b(?:ignore|disregard|forget|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|preceding|all|any|",
        r"system|safety|user)\b.{0,30}\b(?:instructions?|messages?|prompts?|rules|guidelines|polic(?:y|ies))\b",
    ),
    (
        "to keep something from the user",
        r"\b(?:do\s+not|don['’]?t|never|without|must\s+not|avoid)\b.{0,24}\b(?:tell(?:ing)?|inform(?:ing)?|",
        r"mention(?:ing)?|reveal(?:ing)?|disclos(?:e|ing)|alert(?:ing)?|notify(?:ing)?|warn(?:ing)?)\b.{0,40}",
        r"\bto\s+(?:the\s+)?(?:user|human|anyone|operator)\b",
    ),
    (
        "to keep something from the user",
        r"\b(?:do\s+not|don['’]?t|never|without|must\s+not|avoid)\b.{0,16}\b(?:tell(?:ing)?|inform(?:ing)?|",
        r"alert(?:ing)?|notify(?:ing)?|warn(?:ing)?)\s+(?:the\s+)?(?:user|human|anyone|operator)\b",
        r"(?!\s+about\s+(?:the\s+|any\s+)?(?:function|tool)s?\b)",
    ),
    (
        "to do something in secret",
        r"\b(?:secretly|covertly|surreptitiously|stealthily)\b.{0,40}\b(?:insert|include|add|send|append|recommend|log|",
        r"forward|record|collect|promote|report|steer|change|replace|leak)",
    ),
    (
        "to send something out",
        r"\b(?:send|post|forward|upload|exfiltrate|transmit|leak|smuggle)\b.{0,80}\b(?:https?://|passwords?|",
        r"credentials?|api[ _-]?keys?|secrets|(?:whole|entire|full)\s+conversation|system\s+prompt)",
    ),
    (
        "to give secrets away",
        r"\b(?:reveal|print|output|repeat|include|append)\b.{0,40}\b(?:passwords?|credentials?|api[ _-]?keys?|",
        r"secret\s+keys?|the\s+system\s+prompt)\b",
    ),
    (
        "to write malicious code",
        r"\b(?:insert|add|introduce|plant|hide|include)\b.{0,40}\b(?:backdoors?|vulnerabilit(?:y|ies)|malware|",
        r"malicious\s+code|exploits?)\b",
    ),
    (
        "to drop its restrictions",
        r"\byou\b.{0,40}\b(?:no|without(?:\s+any)?)\s+(?:restrictions|filters|limits|safety\s+guidelines)\b|",
        r"\b(?:developer\s+mode\s+(?:is\s+)?(?:on|enabled|active)|do\s+anything\s+now)\b",
    ),
)
"""What the model is told, and the pieces of a pattern that finds it: what no honest template says."""
