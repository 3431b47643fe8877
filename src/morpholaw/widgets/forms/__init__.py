"""Parts that panels ask with: forms of settings, choices, and the line for errors."""
