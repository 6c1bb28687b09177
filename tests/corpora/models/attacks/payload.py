"""The only things an attack of this corpus ever does: it leaves an empty file, or knocks at a closed local port.

The file is called `alcaide-marker` and lies in the working directory; whoever loads an attack in order to see it act
(`naive`) chooses that directory, and names the same file in `ALCAIDE_MARKER`. Where a technique can reach the network
and nothing else, it asks for a port of this machine that nothing listens on.
"""

import marshal

MARKER = "alcaide-marker"

# Three ways to say it: to a shell, to Python, and as an address.
SHELL = f"touch {MARKER}"
CODE = f"open({MARKER!r}, 'w').close()"
IMPORTED = f"__import__('os').system({SHELL!r})"
ADDRESS = "http://127.0.0.1:9/alcaide"


def code_object(source: str = CODE) -> bytes:
    """The payload as marshalled bytecode of the interpreter that runs this."""
    return marshal.dumps(compile(source, "<payload>", "exec"))


def lambda_code() -> bytes:
    """A marshalled function body of one argument that sets the marker and gives the argument back."""
    scope: dict[str, object] = {}
    exec(f"f = lambda x: (x, open({MARKER!r}, 'w').close())[0]", scope)
    return marshal.dumps(scope["f"].__code__)  # type: ignore[attr-defined]
