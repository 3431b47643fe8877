"""How a panel computes while the window stays alive: jobs with progress and Stop, and live calls."""
