"""Links between the layers of the viewer and the cells of a study: movies, tracks, clicks and places."""
