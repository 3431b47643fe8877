"""One function per figure: arrays in, a matplotlib Figure out, no pyplot state."""
