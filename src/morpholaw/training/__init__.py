"""How it is learnt: losses, loops, RigL, the search, the symbolic engines, devices and checkpoints."""
