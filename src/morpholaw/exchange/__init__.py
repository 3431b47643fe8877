"""What was found in the files that other programs read: one format a module; arrays and tables in, a file out."""
