"""The Map of cells panel: the cells of the study as points over two features."""
