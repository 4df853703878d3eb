"""The nouns every other folder speaks in."""
