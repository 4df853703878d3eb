"""Rules that need a small function of their own, which has the name of the rule."""
