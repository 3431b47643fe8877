"""The Map panel: the cells of the study as points over two of their features."""
