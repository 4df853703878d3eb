"""The engine that follows values from sources to sinks; it knows no language and no library."""
