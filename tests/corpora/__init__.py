"""What the scan is measured on: models that attack and models that do not, made by the scripts in here."""
