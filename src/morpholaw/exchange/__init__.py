"""Export to the formats of other programs, one module per format: arrays and tables in, a file out."""
