"""The Timeline panel."""
