"""What a command line would do: an ordinary one of everyday work, one known for harm, or one that nobody vouches for.

Used wherever a file carries commands: shell scripts, notebook magics, `os.system` in Python, install hooks. Ordinary
is what consists of listed programs alone, none of which runs what it is handed or writes outside of the work folder.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from alcaide.instruments.scan.formats.wordlists import words
from alcaide.instruments.scan.patterns import regex


class Kind(Enum):
    """What is known of a command line."""

    ORDINARY = "ordinary"
    UNLISTED = "unlisted"
    """A program that is not on the list."""
    DOUBTFUL = "doubtful"
    """It reaches out of the folder it works in, runs what it is handed, or does what only a proof of concept does."""
    HARMFUL = "harmful"


class Judgement(NamedTuple):
    """What a command line would do, and how that is known."""

    kind: Kind
    reason: str
    """For people, after "it …": `downloads a program and runs it`."""


_SHELL = (
    r"(?:sudo\s+(?:-\S+\s+)*)?(?:\S*/)?(?:env\s+)?"
    r"(?:(?:ba|z|da|k|c|tc|a|fi)?sh|python[\d.]*|perl|ruby|node|php|lua)\b"
)
_HOME = r"(?:~|\$HOME|\$\{HOME\}|/root|/home/[^/\s]+)"
_TELLING = r"(?:env|printenv|whoami|id|hostname|cat|base64|uname)\b"
_FETCH = r"\b(?:curl|wget|fetch|aria2c|lwp-download|invoke-webrequest|iwr|irm|invoke-restmethod)\b"

# Each names one technique; the identifiers are MITRE ATT&CK's.
_HARM: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        # T1105 with T1059: fetch and run.
        (_FETCH + r"[^\n;&]{0,600}?\|\s*(?:tee\s+\S+\s*\|\s*)?" + _SHELL, "downloads a program and runs it"),
        (_FETCH + r"[^\n;&]{0,600}?\|\s*(?:base64|openssl|gunzip|gzip|xxd|tr|rev)\b[^\n;]{0,300}\|\s*" + _SHELL,
         "downloads a hidden program and runs it"),
        (_SHELL + r"[^\n;|]{0,60}?(?:<\(|\"?\$\(|`)\s*" + _FETCH, "downloads a program and runs it"),
        (r"\b(?:eval|source|\.)\s+[\"']?(?:<\(|\$\(|`)\s*" + _FETCH, "downloads a program and runs it"),
        (_FETCH + r"[^\n]{0,300}?(?:&&|;)\s*(?:sudo\s+)?chmod\s+(?:\+|a\+|u\+|[0-7]*[1357])[^\n]{0,120}?(?:&&|;)\s*"
         r"(?:nohup\s+|setsid\s+|sudo\s+)*(?:\./|/tmp/|/dev/shm/|/var/tmp/)", "downloads a program and runs it"),
        (_FETCH + r"[^\n]{0,300}?(?:&&|;)\s*(?:nohup\s+|sudo\s+)*" + _SHELL + r"\s+(?:/tmp/|/dev/shm/|/var/tmp/)",
         "downloads a program and runs it"),
        # T1059: connect back.
        (r"/dev/(?:tcp|udp)/", "connects a shell to another machine"),
        (r"\b(?:nc|ncat|netcat)\b[^\n|;]{0,200}\s-\w*[ec]\w*\s", "connects a shell to another machine"),
        (r"\bmkfifo\b[^\n]{0,300}\b(?:nc|ncat|netcat|telnet|openssl)\b", "connects a shell to another machine"),
        (r"\bsocat\b[^\n]{0,200}\bexec:", "connects a shell to another machine"),
        (r"socket[^\n]{0,600}\bdup2\b|\bpty\.spawn\b|TCPSocket\.(?:open|new)[^\n]{0,200}\bexec\b",
         "connects a shell to another machine"),
        # T1140: decode and run.
        (r"\bbase64\s+(?:-d|-D|--decode)\b[^\n;]{0,300}\|\s*(?:gunzip|zcat|xz[^|]{0,20})?\s*\|?\s*" + _SHELL,
         "runs a hidden program"),
        (r"\b(?:xxd\s+-r|openssl\s+(?:enc|base64)\b[^\n|]{0,200}\s-d\b)[^\n;]{0,300}\|\s*" + _SHELL,
         "runs a hidden program"),
        (r"\b(?:eval|exec|" + _SHELL + r"\s+-c)\s+[\"']?(?:\$\(|`)[^\n)]{0,400}\b(?:base64|xxd|rev|printf\s+['\"]\\)",
         "runs a hidden program"),
        (r"\b(?:powershell|pwsh)(?:\.exe)?\b[^\n]{0,300}\s[-/](?:e|ec|enc|encodedcommand)\s+[A-Za-z0-9+/=]{4,}",
         "runs a hidden program"),
        (r"\b(?:powershell|pwsh)(?:\.exe)?\b[^\n]{0,300}-w(?:in(?:dowstyle)?)?\s+hid", "runs a program out of sight"),
        (r"\b(?:iex|invoke-expression)\b[^\n]{0,300}(?:download|webclient|frombase64|iwr|irm|webrequest)",
         "downloads a program and runs it"),
        (r"(?:downloadstring|downloadfile|webrequest|iwr|irm)\b[^\n]{0,500}\|\s*(?:iex|invoke-expression)\b",
         "downloads a program and runs it"),
        (r"\.downloadstring\s*\(", "downloads a program and runs it"),
        (r"\bcertutil(?:\.exe)?\b[^\n]{0,200}[-/](?:urlcache|decode)\b", "fetches or unpacks a hidden program"),
        (r"\bbitsadmin\b[^\n]{0,200}/transfer\b", "fetches a program"),
        (r"\b(?:mshta|regsvr32|rundll32)(?:\.exe)?\b[^\n]{0,200}(?:https?:|javascript:|vbscript:|scrobj)",
         "runs a program from the network"),
        # T1547, T1053, T1098: stay.
        (r"\|\s*crontab\b|\bcrontab\s+(?!-[lr]\b)\S|/etc/cron", "makes itself run again and again"),
        (r">>?\s*[\"']?" + _HOME + r"/\.(?:bashrc|zshrc|profile|bash_profile|config/autostart)",
         "makes itself run at each log-in"),
        (r"authorized_keys\b", "changes who may log in"),
        (r">>?\s*/etc/(?:passwd|shadow|sudoers|ld\.so|profile|init|rc\.|systemd|hosts)", "changes the system"),
        (r"\bschtasks\b[^\n]{0,100}/create|\breg(?:\.exe)?\s+add\b[^\n]{0,200}\\run(?:once)?\b",
         "makes itself run at each log-in"),
        (r"\bLD_PRELOAD=\s*/(?:tmp|dev/shm|var/tmp)", "puts itself into other programs"),
        # T1485: destroy.
        (r"\brm\s+(?:-\w+\s+|--\S+\s+)*-\w*[rf]\w*\s+(?:-\S+\s+)*[\"']?(?:/|~|\$HOME|\$\{HOME\})/?\*?[\"']?(?=\s|$|;|&|\|)",
         "deletes everything"),
        (r"\bmkfs(?:\.\w+)?\s|\bdd\b[^\n]{0,200}\bof=/dev/(?:sd|hd|nvme|vd|xvd|disk)|\bshred\b[^\n]{0,100}/dev/",
         "overwrites a disk"),
        (r":\s*\(\s*\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:", "starts itself without end"),
        # T1552, T1041: steal.
        (_HOME + r"/\.(?:ssh/id_|aws/credentials|gnupg|kube/config|netrc|git-credentials)|/etc/shadow\b",
         "reads secrets"),
        (r"(?:\benv\b|\bprintenv\b|/proc/self/environ|/etc/passwd)[^\n]{0,300}(?:\||--?data\S*|-d|-F|-T)[^\n]{0,200}"
         r"\b(?:curl|wget|nc|ncat)\b|" + _FETCH + r"[^\n]{0,400}(?:\$\(\s*" + _TELLING + r"|`\s*" + _TELLING
         + r"|@/etc/|/etc/passwd)",
         "sends what it finds on this machine to another"),
        (r"169\.254\.169\.254|metadata\.google\.internal", "asks the cloud for this machine's credentials"),
        (r"\b(?:xmrig|minerd|cpuminer|stratum\+tcp)\b", "mines coins"),
    )
)  # fmt: skip

_HINT = regex(
    r"curl|wget|fetch|aria2c|lwp|invoke|\biwr\b|\birm\b|/dev/|\bnc\b|ncat|netcat|mkfifo|socat|socket|pty\.|base64|xxd"
    r"|openssl|\beval\b|\bexec\b|powershell|pwsh|\biex\b|download|certutil|bitsadmin|mshta|regsvr|rundll|cron"
    r"|authorized_keys|>>|schtasks|\breg\b|LD_PRELOAD|\brm\s|mkfs|\bdd\b|shred|:\s*\(\s*\)|\.ssh|\.aws|\.gnupg|\.kube"
    r"|netrc|git-cred|shadow|environ|passwd|169\.254|metadata\.google|xmrig|miner|stratum|\s-c\s|source\b",
    re.IGNORECASE,
)
"""A word that each of the patterns needs: text without any is not held against them one by one."""

# Makers' own installers, as their documentation says to run them. Hosts, not paths.
_INSTALLERS = regex(
    r"https?://(?:astral\.sh|sh\.rustup\.rs|get\.docker\.com|deb\.nodesource\.com|install\.python-poetry\.org|"
    r"ollama\.com|repo\.anaconda\.com|get\.pnpm\.io|bun\.sh|pixi\.sh|get\.helm\.sh|pyenv\.run|"
    r"raw\.githubusercontent\.com/(?:nvm-sh|pyenv|Homebrew|helm|ohmyzsh)/)[^\s|\"')]*",
    re.IGNORECASE,
)


@lru_cache(maxsize=1)
def _ordinary() -> frozenset[str]:
    """Programs of everyday work with models."""
    return words("ordinary_commands.txt")


_WRAPPERS = frozenset(
    ["sudo", "time", "nohup", "env", "nice", "command", "then", "do", "else", "!", "{", "("]
)
_SHOWN = frozenset(
    ["touch", "id", "calc", "xcalc", "notepad", "open", "start", "ping", "nslookup", "dig", "xdg-open"]
)
"""What proofs of concept start, and notebooks have no use for."""

_SCRATCH = ("/tmp/", "/dev/shm/", "/var/tmp/")  # noqa: S108 - where others put their programs
_SPLIT = regex(r"&&|\|\||[;|\n&]")
_ASSIGNED = regex(r"[A-Za-z_]\w*=")
_QUOTED = regex(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")
_WRITES = regex(r"(?<![<>=-])>>?\s*[\"']?((?:/|~|\$HOME|[A-Za-z]:\\)[^\s;&|\"']*)")
_WITHIN = (
    "/dev/null",
    "/dev/stderr",
    "/dev/stdout",
    "/content/",
    "/kaggle/",
    "/workspace/",
    "/workspaces/",
    "/opt/ml/",
)
_TOUCHES = regex(
    r"^(?:touch|tee|cp|mv|ln|chmod|chown)\b.*\s(?:/(?!content/|kaggle/|workspace/|dev/null|opt/ml/)|~/|\$HOME)"
)
_HANDED = regex(
    r"^(?:(?:python[\d.]*|perl|ruby|node|php)\s+(?:-\S+\s+)*-(?:c|e)\b|(?:ba|z|da)?sh\s+-\w*c\b|find\b.*-exec\b|xargs\b"
    r"|awk\b.*system\(|tar\b.*--checkpoint-action|git\b.*\bcore\.\w+=|(?:ba|z|da)?sh\s*$|python[\d.]*\s*-?\s*$)"
)
_LONGEST = 20_000


def judge(command: str) -> Judgement:
    """What a command line, or a whole shell script, would do."""
    text = command[:_LONGEST].replace("\\\n", " ")
    bare = text.replace("^", "").replace("''", "").replace('""', "")
    if not _HINT.search(text) and (bare == text or not _HINT.search(bare)):
        return _listed(text)
    plain = _INSTALLERS.sub("", text)
    searched = _safe_installers(text) if plain != text else text
    for pattern, reason in _HARM:
        if pattern.search(searched):
            return Judgement(Kind.HARMFUL, reason)
    if bare != text:
        # `c""url` and `p^owershell` are the same words to a shell.
        for pattern, reason in _HARM:
            if pattern.search(bare):
                return Judgement(Kind.HARMFUL, f"{reason}, and hides that")
    return _listed(searched)


def _safe_installers(text: str) -> str:
    """The text without those lines that run a maker's own installer and nothing else."""
    return "\n".join(
        "echo" if _INSTALLERS.search(line) and line.count("://") == 1 else line for line in text.split("\n")
    )


def _listed(text: str) -> Judgement:
    """Whether every part is an everyday program, and writes where it works."""
    for target in _WRITES.findall(text):
        if not target.startswith(_WITHIN):
            return Judgement(Kind.DOUBTFUL, f"writes to `{target[:80]}`")
    for inner in re.findall(r"\$\(([^()]{1,500})\)|`([^`\n]{1,500})`", text)[:50]:
        judged = _parts(inner[0] or inner[1])
        if judged is not None:
            return judged
    return _parts(_QUOTED.sub('"x"', text)) or Judgement(Kind.ORDINARY, "does everyday work")


def _parts(text: str) -> Judgement | None:
    """The first part that is no everyday program; None if all are."""
    for part in _SPLIT.split(text)[:500]:
        line = part.split()
        while line and (line[0] in _WRAPPERS or _ASSIGNED.match(line[0])):
            line = line[1:]
        if not line or line[0].startswith(("#", "-", "<", ">", "%")):
            continue
        name = line[0].strip("\"'()").rsplit("/", 1)[-1].removesuffix(".exe")
        if line[0].startswith(_SCRATCH):
            return Judgement(Kind.DOUBTFUL, f"runs `{line[0][:80]}`")
        if name.lower() not in _ordinary() and not line[0].startswith(("./", "$", "@")):
            shown = name in _SHOWN
            return Judgement(Kind.DOUBTFUL if shown else Kind.UNLISTED, f"runs `{name[:80]}`")
        joined = " ".join([name, *line[1:]])
        if _TOUCHES.match(joined):
            return Judgement(Kind.DOUBTFUL, f"changes files outside of its folder (`{joined[:80]}`)")
        if _HANDED.match(joined):
            return Judgement(Kind.DOUBTFUL, f"runs what it is handed (`{joined[:80]}`)")
    return None
