"""What napari opens by itself: dropped movies, tracks and studies, and the samples."""
