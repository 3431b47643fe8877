"""The Laws panel: search for expressions, pick one, and see what it says."""
