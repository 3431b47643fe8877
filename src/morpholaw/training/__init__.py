"""Training: losses, loops, RigL, the search for laws, symbolic engines, devices and checkpoints."""
