"""The renderers of a report, one per format."""
