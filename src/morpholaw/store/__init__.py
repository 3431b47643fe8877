"""The files of a study as typed records, which can be read without torch."""
