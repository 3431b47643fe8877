"""Between the viewer's layers and a study's cells: movies, tracks, clicks and places."""
