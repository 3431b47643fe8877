"""The Network panel: the sparse head of scheme 3 drawn, its streams and their responses."""
