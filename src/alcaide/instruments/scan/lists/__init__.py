"""Names that are known to be good, as data: each list says what it was made from, and a tool makes it again."""
