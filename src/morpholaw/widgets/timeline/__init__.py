"""The Timeline panel: phases, divisions and durations of tracked cells."""
