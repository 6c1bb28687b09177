"""One linear history of the database's form. Revision files are `NNNN_what.py`; none is edited once released."""
