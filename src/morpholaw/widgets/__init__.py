"""napari dock widgets: one public widget per file, thin over a Study."""
