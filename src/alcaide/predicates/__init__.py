"""What can be said: one file per kind of evidence, versioned. Fields are only ever added."""
