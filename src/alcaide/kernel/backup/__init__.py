"""Everything an instance knows in one file, and back again, on the same database or the other one.

One logical format serves SQLite and PostgreSQL: rows as lines of JSON, the files of the data folder, and
a manifest with the digest of each and the log's signed checkpoint. No tool of the database is needed.
"""

from alcaide.kernel.backup.create import BackupReport, create_backup
from alcaide.kernel.backup.restore import RestoreReport, restore_backup

__all__ = ["BackupReport", "RestoreReport", "create_backup", "restore_backup"]
