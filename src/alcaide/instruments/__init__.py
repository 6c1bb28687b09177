"""What looks: pure libraries, usable alone from Python, without a database and without the web."""
