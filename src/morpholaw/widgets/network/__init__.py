"""The Network panel: an interactive drawing of the sparse network of scheme 3."""
