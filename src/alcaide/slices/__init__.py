"""What people work with: one folder per question an operator asks. Slices meet only in the ledger."""
