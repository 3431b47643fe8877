"""The Laws panel: search for laws, choose one, and see what it means."""
