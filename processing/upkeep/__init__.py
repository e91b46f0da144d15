"""Background work: deletions, reconciliation, exports, the self-check."""
