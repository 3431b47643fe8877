"""What all panels share: the viewer's current study, its bar, and what its files say without torch."""
