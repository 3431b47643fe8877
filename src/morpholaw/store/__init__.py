"""What a study holds on disk, as typed records that can be read without torch."""
