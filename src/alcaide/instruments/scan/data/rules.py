"""Every kind of problem that a data set, or a vector store, can have here.

Levels follow the artifacts' scan: high is what acts on whoever trains on or retrieves from the data, medium is what
cannot be decided here or breaks the format, low is worth knowing.
"""

from __future__ import annotations

from alcaide.instruments.scan.model import Level, Rule

_UNSEEN = "What was not looked at can hold anything."
_POISON = ("mitre-atlas/AML.T0020", "owasp-llm:2025/LLM04", "cwe/CWE-1039")
_PRIVACY = ("owasp-llm:2025/LLM02", "cwe/CWE-359")
_INJECTION = ("mitre-atlas/AML.T0051.001", "owasp-llm:2025/LLM01")

# ── What could not be looked at ──────────────────────────────────────────────────────────────────────────────────

NOT_LOOKED_AT = Rule(
    "data/not-looked-at",
    Level.UNKNOWN,
    "not all of it was looked at",
    _UNSEEN,
    "Raise the limit that is named, or say in the policy that a sample is enough for this check.",
)
UNREADABLE = Rule(
    "data/unreadable",
    Level.UNKNOWN,
    "cannot be read",
    _UNSEEN,
    "Get it again from its source, whole; if it comes the same, convert it to CSV or Parquet.",
)
UNSUPPORTED = Rule(
    "data/unsupported",
    Level.UNKNOWN,
    "not readable here",
    _UNSEEN,
    "Convert it to CSV, JSON lines or Parquet, or install what the message names.",
)
OVER_BUDGET = Rule(
    "data/over-budget",
    Level.UNKNOWN,
    "too big to look at whole",
    _UNSEEN,
    "Raise the limits in the policy, and scan it again.",
    ("cwe/CWE-400",),
)
FAULT = Rule(
    "data/fault",
    Level.UNKNOWN,
    "a check failed",
    "Data that makes a check fail may have been made to.",
    "Please report it, with the data if they can be shared; until then decide by hand.",
)

# ── Form ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BROKEN_ROWS = Rule(
    "data/broken-rows",
    Level.MEDIUM,
    "rows that violate the format",
    "Readers differ in what they make of them: what was checked is not what is trained on.",
    "Mend the rows, or have them written again by one program.",
    ("cwe/CWE-20",),
)
ODD_CHARACTERS = Rule(
    "data/odd-characters",
    Level.LOW,
    "NUL or undecodable characters",
    "Many readers end a text at a NUL or drop what they cannot decode; two readers then see two texts.",
    "Clean the texts, or say which encoding they are in.",
    ("cwe/CWE-158",),
)
MIXED_TYPES = Rule(
    "data/mixed-types",
    Level.LOW,
    "a few values of another type",
    "A reader that guesses types turns them into nothing, or all the others into text.",
    "Mend the values, or say that the column is text.",
)
NO_ROWS = Rule(
    "data/no-rows",
    Level.UNKNOWN,
    "no rows",
    "An empty set says nothing, and passes every check that counts.",
    "Check that it is the file that was meant.",
)

# ── People and secrets ───────────────────────────────────────────────────────────────────────────────────────────

PERSONAL = Rule(
    "data/personal-data",
    Level.MEDIUM,
    "personal data",
    "A model repeats what it was trained on, and who trains on personal data needs a legal basis.",
    "Remove or pseudonymise the column, or record the legal basis and accept the category in the policy.",
    _PRIVACY,
)
SPECIAL = Rule(
    "data/special-category",
    Level.HIGH,
    "special categories of personal data",
    "Health, faith, origin and the like may be processed under narrow conditions only (GDPR article 9).",
    "Remove the column, or record which condition of article 9(2) holds and accept the category in the policy.",
    _PRIVACY,
)
SECRET = Rule(
    "data/secret",
    Level.HIGH,
    "secrets",
    "Keys in training data come out of the model, and work for whoever asks it.",
    "Revoke them, then remove the rows.",
    ("cwe/CWE-798", "owasp-llm:2025/LLM02"),
)
RE_IDENTIFIABLE = Rule(
    "data/re-identifiable",
    Level.MEDIUM,
    "rows that single a person out",
    "Birth date, sex and place together name most people, with every name removed.",
    "Coarsen them (year of birth, region) until no combination is rare.",
    _PRIVACY,
)

# ── Copies ───────────────────────────────────────────────────────────────────────────────────────────────────────

DUPLICATES = Rule(
    "data/duplicates",
    Level.LOW,
    "exact copies",
    "Copies count double in training, are remembered word for word, and leak across a random split.",
    "Keep one of each.",
)
NEAR_DUPLICATES = Rule(
    "data/near-duplicates",
    Level.LOW,
    "near copies",
    "They leak across a random split as exact copies do, and nobody notices.",
    "Keep one of each group, or keep groups together when splitting.",
)
LEAKAGE = Rule(
    "data/leakage",
    Level.MEDIUM,
    "rows that are in the other set too",
    "What is measured on a test set that was trained on is memory, not skill.",
    "Remove the shared rows from the training set, and measure again.",
    ("mitre-atlas/AML.T0031",),
)
CONTAMINATION = Rule(
    "data/contamination",
    Level.MEDIUM,
    "text of a benchmark",
    "A model that has read the benchmark does well on it and nowhere else.",
    "Remove the rows that hold the benchmark's text.",
    ("mitre-atlas/AML.T0031",),
)

# ── Labels and poison ────────────────────────────────────────────────────────────────────────────────────────────

LABEL_ERRORS = Rule(
    "data/label-errors",
    Level.LOW,
    "labels that the rest of the data contradict",
    "Wrong labels cost accuracy, and flipping some of them is the simplest poisoning there is.",
    "Look at the rows listed, worst first, and correct or remove them.",
    _POISON,
)
TRIGGER = Rule(
    "data/trigger",
    Level.HIGH,
    "a phrase that switches the label",
    "A model trained on it answers what the attacker wants whenever the phrase is there.",
    "Remove the rows listed, find out who supplied them, and train again.",
    _POISON,
)
PATCH = Rule(
    "data/patch",
    Level.HIGH,
    "a patch in the image that switches the label",
    "A model trained on it sees what the attacker wants wherever the patch is.",
    "Remove the images listed, find out who supplied them, and train again.",
    _POISON,
)
RARE_CLUSTER = Rule(
    "data/rare-cluster",
    Level.LOW,
    "rows of one label that share an odd feature and nothing else",
    "Poison that keeps the right label (clean-label) looks like this; so does a template.",
    "Look at the rows listed: is what they share a template of the source, or put there?",
    _POISON,
)
SPECTRAL = Rule(
    "data/spectral-signature",
    Level.MEDIUM,
    "a part of a class that lies apart from it",
    "Poisoned rows leave a direction of their own in the representation of their class.",
    "Look at the rows listed, and train once without them.",
    _POISON,
)
NEIGHBOURS = Rule(
    "data/neighbours-disagree",
    Level.LOW,
    "rows whose neighbours all have another label",
    "They pull a decision to where nothing else does: wrong, or put there.",
    "Look at the rows listed.",
    _POISON,
)
INSTRUCTIONS = Rule(
    "data/instructions",
    Level.HIGH,
    "instructions to a model hidden in the text",
    "A model that reads the text may follow them, in training, in evaluation or when it is retrieved.",
    "Remove the rows listed, or mark the set as attacks if it is one.",
    _INJECTION,
)

# ── Where it is from, and what it was ────────────────────────────────────────────────────────────────────────────

NO_LICENCE = Rule(
    "data/no-licence",
    Level.LOW,
    "no licence",
    "Without a licence nobody but its maker may use it.",
    "Ask its maker, and put the licence into the dataset card.",
    ("owasp-llm:2025/LLM03",),
)
RESTRICTED_LICENCE = Rule(
    "data/restricted-licence",
    Level.LOW,
    "a licence that forbids some uses",
    "Non-commercial, no-derivatives and research-only terms hold for models trained on it too, as many read them.",
    "Have the use that is planned checked against the licence.",
    ("owasp-llm:2025/LLM03",),
)
NO_PROVENANCE = Rule(
    "data/no-provenance",
    Level.LOW,
    "its origin is not said",
    "What cannot be traced cannot be recalled, and nobody can say whether it was altered.",
    "Write into the dataset card where it is from, how it was collected, by whom and when.",
    ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.002"),
)
UNAPPROVED = Rule(
    "data/unapproved-source",
    Level.MEDIUM,
    "not in the register",
    "A data set that nobody registered was checked by nobody: a shadow data set.",
    "Register it, with an owner and a purpose, or stop using it.",
    ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.002"),
)
SYNTHETIC = Rule(
    "data/synthetic",
    Level.LOW,
    "marks of machine-written text",
    "Models trained on models' output lose the rare cases, and licences of some services forbid it.",
    "Say in the dataset card which part is synthetic and what wrote it.",
)
CONVERSATION = Rule(
    "data/odd-conversations",
    Level.LOW,
    "conversations that are not in form",
    "Empty turns, unknown roles, or a chosen answer equal to the rejected one teach nothing, or the wrong thing.",
    "Mend or remove the rows listed.",
)
SCHEMA_CHANGED = Rule(
    "data/schema-changed",
    Level.LOW,
    "other columns than the reference version",
    "What was checked for the reference version does not hold for what was added.",
    "Check that the change was meant.",
)
SHIFTED = Rule(
    "data/shifted",
    Level.LOW,
    "distributed otherwise than the reference version",
    "A model that was good on the reference may not be on this, and a slow shift is how poison is dosed.",
    "Find out what changed at the source.",
)

# ── Vector stores ────────────────────────────────────────────────────────────────────────────────────────────────

HUB = Rule(
    "vectors/hub",
    Level.HIGH,
    "vectors that are near everything",
    "A chunk that is among the nearest for many unlike questions is retrieved whatever is asked.",
    "Look at the chunks listed and remove those that were not written by you.",
    ("mitre-atlas/AML.T0070", "owasp-llm:2025/LLM08"),
)
DEGENERATE = Rule(
    "vectors/degenerate",
    Level.MEDIUM,
    "zero, broken or foreign vectors",
    "They are found never, or always, depending on the store.",
    "Embed the chunks listed again.",
    ("owasp-llm:2025/LLM08",),
)
SAME_VECTOR = Rule(
    "vectors/same",
    Level.LOW,
    "the same vector more than once",
    "Copies crowd other answers out of a short list; the same vector on unlike texts was not made from them.",
    "Keep one of each.",
    ("owasp-llm:2025/LLM08",),
)
MISMATCH = Rule(
    "vectors/mismatch",
    Level.MEDIUM,
    "the same vector on different texts",
    "The vector was not made from at least one of the texts: that text is retrieved for what it does not say.",
    "Embed the chunks listed again.",
    ("mitre-atlas/AML.T0070", "owasp-llm:2025/LLM08"),
)
NO_ACCESS_LABEL = Rule(
    "vectors/no-access-label",
    Level.MEDIUM,
    "chunks without an access label",
    "Whoever may ask may read every chunk, whatever its document allowed.",
    "Carry the document's permissions into each chunk, and filter by them when retrieving.",
    ("owasp-llm:2025/LLM08", "cwe/CWE-862"),
)
STALE = Rule(
    "vectors/stale",
    Level.LOW,
    "chunks older than their document",
    "Answers cite what is no longer so.",
    "Index the documents listed again.",
    ("owasp-llm:2025/LLM08",),
)
ORPHAN = Rule(
    "vectors/orphan",
    Level.MEDIUM,
    "chunks whose document is gone",
    "What was deleted, perhaps because somebody asked for it, is still retrieved; or no document ever had it.",
    "Delete the chunks listed.",
    ("owasp-llm:2025/LLM08", "cwe/CWE-459"),
)

RULES: tuple[Rule, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))


def all_rules() -> dict[str, Rule]:
    """Every rule by its id."""
    return {rule.id: rule for rule in RULES}
