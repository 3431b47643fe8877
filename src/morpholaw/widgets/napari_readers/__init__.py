"""What napari opens by itself: dropped tracks and studies, and the samples."""
